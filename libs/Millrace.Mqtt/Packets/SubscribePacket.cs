using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>SUBSCRIBE (MQTT 5 §3.8).</summary>
public readonly ref struct SubscribePacket
{
    public ushort PacketId { get; init; }
    public PropertySet Properties { get; init; }

    /// <summary>The topic filters, each followed by its options, as they stand in the packet.</summary>
    public ReadOnlySpan<byte> Filters { get; init; }

    public int FilterCount { get; init; }

    public Enumerator GetEnumerator() => new(Filters);

    public static PacketDefect TryRead(ReadOnlySpan<byte> body, MqttVersion version, out SubscribePacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var packetId = reader.ReadUInt16();
        var properties = version == MqttVersion.V5 ? PropertySet.Read(ref reader, PropertyPlaces.Subscribe) : default;
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        if (packetId == 0) return PacketDefect.PacketIdZero;
        var filters = reader.Rest;
        var count = 0;
        for (; !reader.IsAtEnd; count++)
        {
            var filter = reader.ReadText();
            var options = reader.ReadByte();
            if (reader.Defect != PacketDefect.None) return reader.Defect;
            var defect = Check(new Subscription(filter, options), version);
            if (defect != PacketDefect.None) return defect;
        }

        if (count == 0) return PacketDefect.FiltersMissing;
        packet = new SubscribePacket
        {
            PacketId = packetId,
            Properties = properties,
            Filters = filters,
            FilterCount = count,
        };
        return PacketDefect.None;
    }

    private static PacketDefect Check(Subscription asked, MqttVersion version)
    {
        var reserved = version == MqttVersion.V5 ? 0xC0 : 0xFC;
        if (asked.Filter.IsEmpty) return PacketDefect.FilterEmpty;
        if ((asked.Options & reserved) != 0) return PacketDefect.SubscriptionOptionsReserved;
        if (asked.Qos == 3 || asked.RetainHandling == 3) return PacketDefect.SubscriptionOptionOutOfRange;
        return asked.NoLocal && TopicFilter.IsShared(asked.Filter) ? PacketDefect.NoLocalWithShared : PacketDefect.None;
    }

    public ref struct Enumerator(ReadOnlySpan<byte> filters)
    {
        private PacketReader _reader = new(filters);

        public Subscription Current { get; private set; }

        public bool MoveNext()
        {
            if (_reader.IsAtEnd) return false;
            var filter = _reader.ReadText();
            Current = new Subscription(filter, _reader.ReadByte());
            return _reader.Defect == PacketDefect.None;
        }
    }
}

/// <summary>A topic filter with the options of §3.8.3.1.</summary>
public readonly ref struct Subscription(ReadOnlySpan<byte> filter, byte options)
{
    private const int NoLocalFlag = 0x04;
    private const int RetainAsPublishedFlag = 0x08;

    public ReadOnlySpan<byte> Filter { get; } = filter;

    public byte Options { get; } = options;

    /// <summary>The greatest QoS that the subscriber asks for.</summary>
    public int Qos => Options & 3;

    /// <summary>The client does not want what it publishes itself.</summary>
    public bool NoLocal => (Options & NoLocalFlag) != 0;

    /// <summary>RETAIN is to arrive as it was published.</summary>
    public bool RetainAsPublished => (Options & RetainAsPublishedFlag) != 0;

    /// <summary>0: retained messages with each subscribe, 1: with a new one only, 2: none.</summary>
    public int RetainHandling => (Options >> 4) & 3;
}
