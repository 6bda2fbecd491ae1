using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>UNSUBSCRIBE (MQTT 5 §3.10).</summary>
public readonly ref struct UnsubscribePacket
{
    public ushort PacketId { get; init; }
    public PropertySet Properties { get; init; }

    /// <summary>The topic filters as they stand in the packet.</summary>
    public ReadOnlySpan<byte> Filters { get; init; }

    public int FilterCount { get; init; }

    public Enumerator GetEnumerator() => new(Filters);

    public static PacketDefect TryRead(ReadOnlySpan<byte> body, MqttVersion version, out UnsubscribePacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var packetId = reader.ReadUInt16();
        var properties = version == MqttVersion.V5 ? PropertySet.Read(ref reader, PropertyPlaces.Unsubscribe) : default;
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        if (packetId == 0) return PacketDefect.PacketIdZero;
        var filters = reader.Rest;
        var count = 0;
        for (; !reader.IsAtEnd; count++)
        {
            var filter = reader.ReadText();
            if (reader.Defect != PacketDefect.None) return reader.Defect;
            if (filter.IsEmpty) return PacketDefect.FilterEmpty;
        }

        if (count == 0) return PacketDefect.FiltersMissing;
        packet = new UnsubscribePacket
        {
            PacketId = packetId,
            Properties = properties,
            Filters = filters,
            FilterCount = count,
        };
        return PacketDefect.None;
    }

    public ref struct Enumerator(ReadOnlySpan<byte> filters)
    {
        private PacketReader _reader = new(filters);

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_reader.IsAtEnd) return false;
            Current = _reader.ReadText();
            return _reader.Defect == PacketDefect.None;
        }
    }
}
