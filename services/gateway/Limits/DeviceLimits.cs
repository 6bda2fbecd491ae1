using Millrace.Gateway.Topics;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Limits;

/// <summary>What holds for one device: what is said of it, and where nothing is, what is said of each.</summary>
internal sealed class DeviceLimits
{
    public DeviceLimits(GatewayOptions hub, DeviceLimitOptions own)
    {
        var each = hub.Limits.Device;
        ConnectionsMax = NoneIfZero(own.ConnectionsMax ?? each.ConnectionsMax);
        SubscriptionsMax = NoneIfZero(own.SubscriptionsMax ?? each.SubscriptionsMax);
        TopicLevelsMax = NoneIfZero(own.TopicLevelsMax ?? each.TopicLevelsMax);
        var packet = own.PacketBytesMax ?? each.PacketBytesMax ?? hub.PacketBytesMax;
        var topic = own.TopicBytesMax ?? each.TopicBytesMax;
        Session = GatewayLimits.SessionOf(hub) with
        {
            PacketBytesMax = (int)Math.Min(packet.Bytes, hub.PacketBytesMax.Bytes),
            InFlightMax = own.InFlightMax ?? each.InFlightMax ?? hub.InFlightMax,
            TopicBytesMax = Math.Min(ushort.MaxValue, NoneIfZero((int?)topic?.Bytes)),
        };
        var queueBytes = own.QueueBytesMax ?? each.QueueBytesMax ?? hub.Sessions.QueueBytesMax;
        Queue = new QueueLimits(
            own.QueueMessagesMax ?? each.QueueMessagesMax ?? hub.Sessions.QueueMessagesMax, queueBytes.Bytes);
        Traffic = new TrafficOptions
        {
            ConnectsPerSecond = own.ConnectsPerSecond ?? each.ConnectsPerSecond,
            MessagesPerSecond = own.MessagesPerSecond ?? each.MessagesPerSecond,
            BytesPerSecond = own.BytesPerSecond ?? each.BytesPerSecond,
            MessagesPerDay = own.MessagesPerDay ?? each.MessagesPerDay,
            BytesPerDay = own.BytesPerDay ?? each.BytesPerDay,
        };
    }

    public int ConnectionsMax { get; }

    public int SubscriptionsMax { get; }

    public int TopicLevelsMax { get; }

    public SessionLimits Session { get; }

    /// <summary>Of each of its sessions.</summary>
    public QueueLimits Queue { get; }

    public TrafficOptions Traffic { get; }

    /// <summary>Whether a topic, or a filter, is within length and levels.</summary>
    public PublishRefusal Check(ReadOnlySpan<byte> topic)
    {
        if (topic.Length > Session.TopicBytesMax) return PublishRefusal.TopicTooLong;
        return topic.Count((byte)'/') >= TopicLevelsMax ? PublishRefusal.TopicTooDeep : PublishRefusal.None;
    }

    private static int NoneIfZero(int? max) => max is > 0 and var given ? given : int.MaxValue;
}
