using System.Buffers;
using System.Text;
using Millrace.Gateway.Topics;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>A message to a space, copied out of the received bytes.</summary>
/// <param name="Properties">Those that go on to subscribers.</param>
/// <param name="PacketId">0 with QoS 0, and of a will.</param>
internal sealed record SpacePublish(
    TopicSpace Space, byte[] Topic, int Qos, ushort PacketId, bool Retain, byte[] Properties, byte[] Payload,
    DateTimeOffset? ExpiresAt)
{
    public static SpacePublish Of(TopicSpace space, in PublishPacket publish, DateTimeOffset now)
    {
        var hasExpiry = publish.Properties.TryFind(PropertyId.MessageExpiryInterval, out var expiry);
        return new SpacePublish(space, publish.Topic.ToArray(), publish.Qos, publish.PacketId, publish.Retain,
            Kept(publish.Properties), publish.Payload.ToArray(), hasExpiry ? now.AddSeconds(expiry.Number) : null);
    }

    /// <summary>One that was on its way to a session: with the QoS that it had there.</summary>
    public static SpacePublish Of(TopicSpace space, OutboundMessage message) => new(
        space, Encoding.UTF8.GetBytes(message.Topic), message.Qos, PacketId: 0, message.Retain, message.Properties,
        message.Payload, message.ExpiresAt);

    /// <summary>Whether the properties are few and short enough for a record of the event log.</summary>
    public static bool Fits(PropertySet properties, int propertiesMax)
    {
        var left = propertiesMax;
        foreach (var each in properties)
        {
            if (each.Id != PropertyId.UserProperty) continue;
            if (left-- <= 0 || each.Name.Length > TelemetryEncoder.NameBytesMax) return false;
        }

        return true;
    }

    public PublishPacket ToPacket() => new()
    {
        Qos = Qos,
        PacketId = PacketId,
        Retain = Retain,
        Topic = Topic,
        Properties = new PropertySet(Properties),
        Payload = Payload,
    };

    /// <summary>All but what is between the client and this server (MQTT 5 §3.3.2.3).</summary>
    private static byte[] Kept(PropertySet properties)
    {
        if (properties.IsEmpty) return [];
        var rented = ArrayPool<byte>.Shared.Rent(properties.Bytes.Length);
        var kept = new PropertyWriter(rented);
        foreach (var each in properties)
        {
            switch (each.Id)
            {
                case PropertyId.PayloadFormatIndicator: kept.Number(each.Id, each.Number); break;
                case PropertyId.ContentType or PropertyId.ResponseTopic or PropertyId.CorrelationData:
                    kept.Bytes(each.Id, each.Value);
                    break;
                case PropertyId.UserProperty: kept.User(each.Name, each.Value); break;
            }
        }

        var written = kept.Written.ToArray();
        ArrayPool<byte>.Shared.Return(rented);
        return written;
    }
}

/// <summary>What is saved with QoS 2 publishes when their messages are queued, so that each is taken once.</summary>
/// <param name="Inbound">What is open.</param>
/// <param name="Last">The number of the last exchange that was begun.</param>
internal sealed record PublishOnce(SessionKey Sender, long Epoch, InboundExchanges Inbound, long Last)
{
    /// <summary>The same when these have begun as well.</summary>
    public PublishOnce With(IEnumerable<SpacePublish> messages)
    {
        var last = Last;
        var begun = messages.Where(each => each.Qos == 2).Select(each => new OpenExchange(each.PacketId, ++last));
        var inbound = Inbound with { Open = [.. Inbound.Open, .. begun] };
        return this with { Inbound = inbound, Last = last };
    }
}

internal enum SpaceOutcome : byte
{
    /// <summary>All that has to have it, has it durably.</summary>
    Done,

    /// <summary>The sender's session is another connection's.</summary>
    NotOwner,
    LogFailed,
    LogFull,
}
