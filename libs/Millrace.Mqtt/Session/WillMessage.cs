using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

/// <summary>What is to be published when the connection ends without a good-bye (MQTT 5 §3.1.2.5).</summary>
public sealed record WillMessage(int Qos, bool Retain, byte[] Topic, byte[] Properties, byte[] Payload)
{
    /// <summary>How long the will waits, and is dropped when the session goes on (§3.1.3.2.2).</summary>
    public uint DelaySeconds => new PropertySet(Properties).Number(PropertyId.WillDelayInterval, absent: 0);

    /// <summary>The will as the PUBLISH that it stands for.</summary>
    public PublishPacket ToPublish() => new()
    {
        Qos = Qos,
        Retain = Retain,
        Topic = Topic,
        Properties = new PropertySet(Properties),
        Payload = Payload,
    };

    internal static WillMessage From(ConnectPacket packet) => new(
        packet.WillQos, packet.WillRetain, packet.WillTopic.ToArray(), packet.WillProperties.Bytes.ToArray(),
        packet.WillPayload.ToArray());
}
