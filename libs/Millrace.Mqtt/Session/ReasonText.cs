using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

/// <summary>Reason strings (MQTT 5 §3.4.2.2.2): for people who read a client's log, never for the client.</summary>
internal static class ReasonText
{
    private const int TextBytesMax = 256;

    /// <summary>What is said to an acknowledgement or a release; null where the code says all.</summary>
    public static string? Of(ReasonCode reason) => reason == ReasonCode.PacketIdentifierNotFound
        ? "No QoS 2 publish is open under this packet identifier."
        : null;

    /// <summary>Writes the packet, with the text when there is one and the packet still fits.</summary>
    public static void Write(
        IBufferWriter<byte> target, MqttVersion version, ReasonPacket packet, string? text, uint packetBytesMax)
    {
        if (text is null || version != MqttVersion.V5 || text.Length > TextBytesMax)
        {
            PacketWriter.Reason(target, version, packet);
            return;
        }

        var properties = new PropertyWriter(stackalloc byte[3 + TextBytesMax]);
        Span<byte> bytes = stackalloc byte[TextBytesMax];
        properties.Bytes(PropertyId.ReasonString, bytes[..Encoding.ASCII.GetBytes(text, bytes)]);
        var size = (ReasonPacket.HasPacketId(packet.Type) ? 2 : 0) + 1
            + PacketWriter.SizeOf(new PropertySet(properties.Written), version);
        if (1 + VarInt.Size(size) + size > packetBytesMax) PacketWriter.Reason(target, version, packet);
        else
        {
            PacketWriter.Reason(target, version, new ReasonPacket
            {
                Type = packet.Type,
                PacketId = packet.PacketId,
                Reason = packet.Reason,
                Properties = new PropertySet(properties.Written),
            });
        }
    }
}
