using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

/// <summary>A message to the client.</summary>
public readonly ref struct Delivery
{
    public required string Topic { get; init; }

    public required int Qos { get; init; }

    /// <summary>0 with QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>It may have been sent before.</summary>
    public bool Duplicate { get; init; }

    public bool Retain { get; init; }

    /// <summary>As MQTT 5 encodes them, without their length; 3.1.1 leaves them out.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>What is left of the message's life; null: it does not expire.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>The identifiers of the subscriptions that the message matches.</summary>
    public IReadOnlyList<uint> SubscriptionIds { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }
}

public sealed partial class MqttSession
{
    private const int AliasBytes = 3;
    private const int ExpiryBytes = 5;
    private const int SubscriptionIdBytesMax = 5;

    private OutboundAliases? _outboundAliases;
    private int _outboundAliasMax;

    /// <summary>
    /// Writes a PUBLISH to the client. False, with nothing written, when it is larger than the client takes: then it is
    /// done with, as if it had been sent (§3.1.2.11.4).
    /// </summary>
    public bool Deliver(IBufferWriter<byte> target, in Delivery delivery)
    {
        var isV5 = Version == MqttVersion.V5;
        var topic = Encoding.UTF8.GetBytes(delivery.Topic);
        var isNew = false;
        var alias = isV5 && _outboundAliasMax > 0
            ? (_outboundAliases ??= new OutboundAliases(_outboundAliasMax)).Of(delivery.Topic, out isNew)
            : (ushort)0;
        var ids = isV5 ? delivery.SubscriptionIds ?? [] : [];
        var sizeMax = delivery.Properties.Length + AliasBytes + ExpiryBytes + (ids.Count * SubscriptionIdBytesMax);
        var rented = isV5 ? ArrayPool<byte>.Shared.Rent(sizeMax) : [];
        try
        {
            var properties = isV5 ? WriteProperties(rented, delivery, alias, ids) : default;
            var packet = new PublishPacket
            {
                Duplicate = delivery.Duplicate,
                Qos = delivery.Qos,
                Retain = delivery.Retain,
                Topic = alias == 0 || isNew ? topic : default,
                PacketId = delivery.PacketId,
                Properties = new PropertySet(properties),
                Payload = delivery.Payload,
            };
            if (!Fits(PacketWriter.SizeOfPublish(packet, Version))) return false;
            PacketWriter.Publish(target, Version, packet);
            if (isNew) _outboundAliases!.Keep(delivery.Topic, alias);
            return true;
        }
        finally
        {
            if (isV5) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static ReadOnlySpan<byte> WriteProperties(
        Span<byte> target, in Delivery delivery, ushort alias, IReadOnlyList<uint> subscriptionIds)
    {
        var added = new PropertyWriter(target);
        if (delivery.ExpirySeconds is { } left) added.Number(PropertyId.MessageExpiryInterval, left);
        if (alias > 0) added.Number(PropertyId.TopicAlias, alias);
        foreach (var id in subscriptionIds) added.Number(PropertyId.SubscriptionIdentifier, id);
        var length = added.Written.Length;
        delivery.Properties.CopyTo(target[length..]);
        return target[..(length + delivery.Properties.Length)];
    }
}
