using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Tests;

/// <summary>Legal packets of every kind, made from a seed.</summary>
internal sealed class PacketSamples(int seed)
{
    private readonly Random _random = new(seed);

    public static IReadOnlyList<PacketType> Types { get; } = Enum.GetValues<PacketType>();

    public MqttVersion Version() => _random.Next(2) == 0 ? MqttVersion.V311 : MqttVersion.V5;

    public static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var target = new ArrayBufferWriter<byte>();
        write(target);
        return target.WrittenSpan.ToArray();
    }

    public byte[] Packet(PacketType type, MqttVersion version) => Bytes(target => Write(target, type, version));

    public byte[] Connect(MqttVersion version) => Packet(PacketType.Connect, version);

    public byte[] Text(int max = 24, bool empty = true)
    {
        var length = _random.Next(empty ? 0 : 1, max + 1);
        var text = new StringBuilder();
        for (var i = 0; i < length; i++) text.Append("abcXYZ019-_. äß€𝄞"[_random.Next(15)]);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public byte[] Topic() => [.. Text(8, empty: false), (byte)'/', .. Text(8, empty: false)];

    public byte[] Data(int max = 64)
    {
        var data = new byte[_random.Next(max + 1)];
        _random.NextBytes(data);
        return data;
    }

    public ushort PacketId() => (ushort)_random.Next(1, 65536);

    /// <summary>A random choice of the properties that may stand in this place.</summary>
    public byte[] Properties(PropertyPlaces place)
    {
        var writer = new PropertyWriter(new byte[4096]);
        foreach (var id in Enum.GetValues<PropertyId>())
        {
            if (!PropertyRules.MayStandIn(id, place) || _random.Next(3) == 0) continue;
            var times = PropertyRules.MayRepeat(id, place) ? _random.Next(1, 4) : 1;
            for (var i = 0; i < times; i++) WriteProperty(ref writer, id);
        }

        return writer.Written.ToArray();
    }

    private void WriteProperty(ref PropertyWriter writer, PropertyId id)
    {
        switch (PropertyRules.KindOf(id))
        {
            case PropertyKind.Byte: writer.Number(id, (uint)_random.Next(2)); break;
            case PropertyKind.UInt16: writer.Number(id, (uint)_random.Next(1, 65536)); break;
            case PropertyKind.UInt32: writer.Number(id, (uint)_random.Next(1, int.MaxValue)); break;
            case PropertyKind.VarInt: writer.Number(id, (uint)_random.Next(1, VarInt.Max)); break;
            case PropertyKind.Text: writer.Bytes(id, Text(empty: id != PropertyId.ResponseTopic)); break;
            case PropertyKind.Binary: writer.Bytes(id, Data()); break;
            case PropertyKind.TextPair: writer.User(Text(), Text()); break;
        }
    }

    private PropertySet Set(PropertyPlaces place, MqttVersion version) =>
        version == MqttVersion.V5 ? new PropertySet(Properties(place)) : default;

    private void Write(IBufferWriter<byte> target, PacketType type, MqttVersion version)
    {
        var place = (PropertyPlaces)(1 << (int)type);
        switch (type)
        {
            case PacketType.Connect: PacketWriter.Connect(target, ConnectPacket(version)); break;
            case PacketType.ConnAck:
                PacketWriter.ConnAck(target, version, new ConnAckPacket
                {
                    SessionPresent = _random.Next(2) == 0,
                    Code = (byte)_random.Next(256),
                    Properties = Set(place, version),
                });
                break;
            case PacketType.Publish: PacketWriter.Publish(target, version, PublishPacket(version)); break;
            case PacketType.Subscribe:
                PacketWriter.Subscribe(target, version, new SubscribePacket
                {
                    PacketId = PacketId(),
                    Properties = Set(place, version),
                    Filters = Filters(() => [(byte)_random.Next(3)]),
                });
                break;
            case PacketType.Unsubscribe:
                PacketWriter.Unsubscribe(target, version, new UnsubscribePacket
                {
                    PacketId = PacketId(),
                    Properties = Set(place, version),
                    Filters = Filters(() => []),
                });
                break;
            case PacketType.SubAck:
            case PacketType.UnsubAck:
                PacketWriter.SubAck(target, version, type, new SubAckPacket
                {
                    PacketId = PacketId(),
                    Properties = Set(place, version),
                    Codes = Data(8),
                });
                break;
            case PacketType.PingReq: PacketWriter.PingReq(target); break;
            case PacketType.PingResp: PacketWriter.PingResp(target); break;
            default: PacketWriter.Reason(target, version, ReasonPacket(type, version)); break;
        }
    }

    public ConnectPacket ConnectPacket(MqttVersion version)
    {
        var will = _random.Next(2) == 0;
        var user = _random.Next(2) == 0;
        return new ConnectPacket
        {
            Version = version,
            CleanStart = _random.Next(2) == 0,
            KeepAliveSeconds = (ushort)_random.Next(65536),
            Properties = Set(PropertyPlaces.Connect, version),
            ClientId = Text(),
            HasWill = will,
            WillQos = will ? _random.Next(3) : 0,
            WillRetain = will && _random.Next(2) == 0,
            WillProperties = will ? Set(PropertyPlaces.Will, version) : default,
            WillTopic = will ? Topic() : default,
            WillPayload = will ? Data() : default,
            HasUserName = user,
            UserName = user ? Text() : default,
            HasPassword = user,
            Password = user ? Data() : default,
        };
    }

    public PublishPacket PublishPacket(MqttVersion version)
    {
        var qos = _random.Next(3);
        return new PublishPacket
        {
            Duplicate = qos > 0 && _random.Next(2) == 0,
            Qos = qos,
            Retain = _random.Next(2) == 0,
            Topic = Topic(),
            PacketId = qos == 0 ? (ushort)0 : PacketId(),
            Properties = Set(PropertyPlaces.Publish, version),
            Payload = Data(_random.Next(10) == 0 ? 20_000 : 64),
        };
    }

    private ReasonPacket ReasonPacket(PacketType type, MqttVersion version) => new()
    {
        Type = type,
        PacketId = Packets.ReasonPacket.HasPacketId(type) ? PacketId() : (ushort)0,
        Reason = version == MqttVersion.V5 ? (ReasonCode)_random.Next(256) : ReasonCode.Success,
        Properties = Set((PropertyPlaces)(1 << (int)type), version),
    };

    private byte[] Filters(Func<byte[]> options)
    {
        var bytes = new List<byte>();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var topic = Topic();
            bytes.AddRange([0, (byte)topic.Length, .. topic, .. options()]);
        }

        return [.. bytes];
    }
}
