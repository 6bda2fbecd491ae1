using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>
/// The packets that carry a reason code and properties, either of which may be left out: DISCONNECT (MQTT 5 §3.14),
/// AUTH (§3.15), and, after a packet identifier, PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7).
/// </summary>
public readonly ref struct ReasonPacket
{
    public PacketType Type { get; init; }

    /// <summary>0 for DISCONNECT and AUTH.</summary>
    public ushort PacketId { get; init; }
    public ReasonCode Reason { get; init; }
    public PropertySet Properties { get; init; }

    public static bool HasPacketId(PacketType type) => type is >= PacketType.PubAck and <= PacketType.PubComp;

    public static PacketDefect TryRead(
        PacketType type, ReadOnlySpan<byte> body, MqttVersion version, out ReasonPacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var packetId = HasPacketId(type) ? reader.ReadUInt16() : (ushort)0;
        var reason = ReasonCode.Success;
        var properties = default(PropertySet);
        if (version == MqttVersion.V5)
        {
            if (!reader.IsAtEnd) reason = (ReasonCode)reader.ReadByte();
            if (!reader.IsAtEnd) properties = PropertySet.Read(ref reader, (PropertyPlaces)(1 << (int)type));
        }

        var defect = reader.End();
        if (defect != PacketDefect.None) return defect;
        if (HasPacketId(type) && packetId == 0) return PacketDefect.PacketIdZero;
        packet = new ReasonPacket { Type = type, PacketId = packetId, Reason = reason, Properties = properties };
        return PacketDefect.None;
    }
}
