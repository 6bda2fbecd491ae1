using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>SUBACK (MQTT 5 §3.9), and UNSUBACK (§3.11), which has no codes in 3.1.1.</summary>
public readonly ref struct SubAckPacket
{
    public ushort PacketId { get; init; }
    public PropertySet Properties { get; init; }

    /// <summary>One a filter, in the order of the request.</summary>
    public ReadOnlySpan<byte> Codes { get; init; }

    public static PacketDefect TryRead(
        PacketType type, ReadOnlySpan<byte> body, MqttVersion version, out SubAckPacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var packetId = reader.ReadUInt16();
        var place = (PropertyPlaces)(1 << (int)type);
        var properties = version == MqttVersion.V5 ? PropertySet.Read(ref reader, place) : default;
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        if (packetId == 0) return PacketDefect.PacketIdZero;
        packet = new SubAckPacket { PacketId = packetId, Properties = properties, Codes = reader.ReadToEnd() };
        return PacketDefect.None;
    }
}
