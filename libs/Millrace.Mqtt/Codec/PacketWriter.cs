using System.Buffers;
using System.Buffers.Binary;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Codec;

/// <summary>Encodes packets. Each is measured first and written into one span of the target.</summary>
public static class PacketWriter
{
    private const int AckBytes = 4;

    private static ReadOnlySpan<byte> PingRequestBytes => [(byte)PacketType.PingReq << 4, 0];

    private static ReadOnlySpan<byte> PingResponseBytes => [(byte)PacketType.PingResp << 4, 0];

    public static void PingReq(IBufferWriter<byte> target) => target.Write(PingRequestBytes);

    public static void PingResp(IBufferWriter<byte> target) => target.Write(PingResponseBytes);

    public static void Connect(IBufferWriter<byte> target, ConnectPacket packet)
    {
        var fields = Begin(target, (byte)PacketType.Connect << 4, packet.Measure());
        packet.Write(ref fields);
        target.Advance(fields.Written);
    }

    public static void ConnAck(IBufferWriter<byte> target, MqttVersion version, ConnAckPacket packet)
    {
        var fields = Begin(target, (byte)PacketType.ConnAck << 4, 2 + SizeOf(packet.Properties, version));
        fields.Byte(packet.SessionPresent ? (byte)1 : (byte)0);
        fields.Byte(packet.Code);
        if (version == MqttVersion.V5) WriteProperties(ref fields, packet.Properties);
        target.Advance(fields.Written);
    }

    public static void Publish(IBufferWriter<byte> target, MqttVersion version, PublishPacket packet)
    {
        var first = ((int)PacketType.Publish << 4) | (packet.Duplicate ? 8 : 0) | (packet.Qos << 1)
            | (packet.Retain ? 1 : 0);
        var fields = Begin(target, (byte)first, SizeOfPublish(packet, version));
        fields.Binary(packet.Topic);
        if (packet.Qos > 0) fields.UInt16(packet.PacketId);
        if (version == MqttVersion.V5) WriteProperties(ref fields, packet.Properties);
        fields.Bytes(packet.Payload);
        target.Advance(fields.Written);
    }

    /// <summary>
    /// PUBACK or PUBREC of success without properties: four bytes in every version. Returns their number.
    /// </summary>
    public static int PubAck(Span<byte> target, PacketType type, ushort packetId)
    {
        target[0] = (byte)((int)type << 4);
        target[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], packetId);
        return AckBytes;
    }

    /// <summary>Leaves out what MQTT 5 lets one leave out: empty properties, and then a reason of success.</summary>
    public static void Reason(IBufferWriter<byte> target, MqttVersion version, ReasonPacket packet)
    {
        var hasId = ReasonPacket.HasPacketId(packet.Type);
        var hasProperties = version == MqttVersion.V5 && !packet.Properties.IsEmpty;
        var hasReason = version == MqttVersion.V5 && (hasProperties || packet.Reason != ReasonCode.Success);
        var first = ((int)packet.Type << 4) | (packet.Type == PacketType.PubRel ? 2 : 0);
        var size = (hasId ? 2 : 0) + (hasReason ? 1 : 0) + (hasProperties ? SizeOf(packet.Properties, version) : 0);
        var fields = Begin(target, (byte)first, size);
        if (hasId) fields.UInt16(packet.PacketId);
        if (hasReason) fields.Byte((byte)packet.Reason);
        if (hasProperties) WriteProperties(ref fields, packet.Properties);
        target.Advance(fields.Written);
    }

    public static void Subscribe(IBufferWriter<byte> target, MqttVersion version, SubscribePacket packet) =>
        Numbered(target, version, PacketType.Subscribe, packet.PacketId, packet.Properties, packet.Filters);

    public static void Unsubscribe(IBufferWriter<byte> target, MqttVersion version, UnsubscribePacket packet) =>
        Numbered(target, version, PacketType.Unsubscribe, packet.PacketId, packet.Properties, packet.Filters);

    /// <param name="type">SUBACK or UNSUBACK.</param>
    public static void SubAck(IBufferWriter<byte> target, MqttVersion version, PacketType type, SubAckPacket packet) =>
        Numbered(target, version, type, packet.PacketId, packet.Properties, packet.Codes);

    internal static void WriteProperties(scoped ref FieldWriter fields, PropertySet properties)
    {
        fields.VarInt(properties.Bytes.Length);
        fields.Bytes(properties.Bytes);
    }

    /// <summary>The size of a PUBLISH's body.</summary>
    internal static int SizeOfPublish(PublishPacket packet, MqttVersion version) =>
        2 + packet.Topic.Length + (packet.Qos > 0 ? 2 : 0) + SizeOf(packet.Properties, version)
        + packet.Payload.Length;

    internal static int SizeOf(PropertySet properties, MqttVersion version) =>
        version == MqttVersion.V5 ? VarInt.Size(properties.Bytes.Length) + properties.Bytes.Length : 0;

    private static void Numbered(
        IBufferWriter<byte> target, MqttVersion version, PacketType type, ushort packetId, PropertySet properties,
        ReadOnlySpan<byte> rest)
    {
        var flags = type is PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
        var fields = Begin(
            target, (byte)(((int)type << 4) | flags), 2 + SizeOf(properties, version) + rest.Length);
        fields.UInt16(packetId);
        if (version == MqttVersion.V5) WriteProperties(ref fields, properties);
        fields.Bytes(rest);
        target.Advance(fields.Written);
    }

    private static FieldWriter Begin(IBufferWriter<byte> target, byte first, int bodyBytes)
    {
        var fields = new FieldWriter(target.GetSpan(1 + VarInt.Size(bodyBytes) + bodyBytes));
        fields.Byte(first);
        fields.VarInt(bodyBytes);
        return fields;
    }
}
