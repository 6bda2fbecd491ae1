using Millrace.Primitives;

namespace Millrace.Gateway.Limits;

/// <summary>How much may come in. 0 means no limit; what is left out for one device is as for each device.</summary>
public class TrafficOptions
{
    /// <summary>Connects a second, averaged over Gateway:Limits:Burst.</summary>
    public int? ConnectsPerSecond { get; set; }

    /// <summary>Packets a second, of whatever kind, averaged over Gateway:Limits:Burst.</summary>
    public int? MessagesPerSecond { get; set; }

    /// <summary>
    /// Bytes of those packets a second. A publish counts as the row that it becomes: its topic, properties and body,
    /// the device's id and <see cref="Millrace.Contracts.TelemetryMessage.RowBytes"/>.
    /// </summary>
    public ByteSize? BytesPerSecond { get; set; }

    /// <summary>Publishes a day, wills included, which begins at midnight UTC.</summary>
    public long? MessagesPerDay { get; set; }

    /// <summary>Bytes of those publishes' topics, properties and bodies a day.</summary>
    public ByteSize? BytesPerDay { get; set; }
}

/// <summary>What one device may do.</summary>
public class DeviceLimitOptions : TrafficOptions
{
    /// <summary>Connections at a time, each under a client id of its own.</summary>
    public int? ConnectionsMax { get; set; }

    /// <summary>The largest packet, at most Gateway:PacketBytesMax.</summary>
    public ByteSize? PacketBytesMax { get; set; }

    /// <summary>Unacknowledged publishes of a connection, in place of Gateway:InFlightMax.</summary>
    public int? InFlightMax { get; set; }

    /// <summary>The longest topic or topic filter.</summary>
    public ByteSize? TopicBytesMax { get; set; }

    /// <summary>The most levels that a topic or topic filter may have.</summary>
    public int? TopicLevelsMax { get; set; }

    /// <summary>Subscriptions of one session.</summary>
    public int? SubscriptionsMax { get; set; }

    /// <summary>
    /// Messages to the device that wait in one session, in place of Gateway:Sessions:QueueMessagesMax.
    /// </summary>
    public int? QueueMessagesMax { get; set; }

    /// <summary>Bytes that wait in one session, in place of Gateway:Sessions:QueueBytesMax.</summary>
    public ByteSize? QueueBytesMax { get; set; }
}

/// <summary>The limits of devices that are named.</summary>
public sealed class NamedDeviceLimitOptions : DeviceLimitOptions
{
    /// <summary>The ids of these devices.</summary>
    public List<string> DeviceIds { get; set; } = [];
}
