using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>PUBLISH (MQTT 5 §3.3): spans into the received bytes.</summary>
public readonly ref struct PublishPacket
{
    public bool Duplicate { get; init; }
    public int Qos { get; init; }
    public bool Retain { get; init; }

    /// <summary>Empty only with a topic alias.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>0 with QoS 0.</summary>
    public ushort PacketId { get; init; }
    public PropertySet Properties { get; init; }
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Of its topic, properties and payload.</summary>
    public int Bytes => Topic.Length + Properties.Bytes.Length + Payload.Length;

    /// <summary>The same message under the topic that its alias stands for.</summary>
    public PublishPacket WithTopic(ReadOnlySpan<byte> topic) => new()
    {
        Duplicate = Duplicate,
        Qos = Qos,
        Retain = Retain,
        Topic = topic,
        PacketId = PacketId,
        Properties = Properties,
        Payload = Payload,
    };

    /// <param name="flags">The low four bits of the first byte.</param>
    public static PacketDefect TryRead(
        int flags, ReadOnlySpan<byte> body, MqttVersion version, out PublishPacket packet)
    {
        packet = default;
        var qos = (flags >> 1) & 3;
        if (qos == 3) return PacketDefect.QosInvalid;
        var reader = new PacketReader(body);
        var topic = reader.ReadText();
        var packetId = qos == 0 ? (ushort)0 : reader.ReadUInt16();
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        if (qos != 0 && packetId == 0) return PacketDefect.PacketIdZero;
        var properties = version == MqttVersion.V5 ? PropertySet.Read(ref reader, PropertyPlaces.Publish) : default;
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        var aliased = topic.IsEmpty && properties.TryFind(PropertyId.TopicAlias, out _);
        var defect = aliased ? PacketDefect.None : TopicName.Check(topic);
        if (defect != PacketDefect.None) return defect;
        packet = new PublishPacket
        {
            Duplicate = (flags & 8) != 0,
            Qos = qos,
            Retain = (flags & 1) != 0,
            Topic = topic,
            PacketId = packetId,
            Properties = properties,
            Payload = reader.ReadToEnd(),
        };
        return PacketDefect.None;
    }
}
