using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>CONNACK (MQTT 5 §3.2).</summary>
public readonly ref struct ConnAckPacket
{
    public bool SessionPresent { get; init; }

    /// <summary>As on the wire: a reason code in MQTT 5, a return code (0 to 5) in 3.1.1.</summary>
    public byte Code { get; init; }
    public PropertySet Properties { get; init; }

    public static PacketDefect TryRead(ReadOnlySpan<byte> body, MqttVersion version, out ConnAckPacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var flags = reader.ReadByte();
        var code = reader.ReadByte();
        var properties = version == MqttVersion.V5 ? PropertySet.Read(ref reader, PropertyPlaces.ConnAck) : default;
        var defect = reader.End();
        if (defect != PacketDefect.None) return defect;
        if (flags > 1) return PacketDefect.ConnectFlagsInvalid;
        packet = new ConnAckPacket { SessionPresent = flags == 1, Code = code, Properties = properties };
        return PacketDefect.None;
    }
}
