using Millrace.Primitives;

namespace Millrace.Gateway.Limits;

/// <summary>How much the hub and each of its devices may bring; section Gateway:Limits.</summary>
public sealed class LimitOptions
{
    /// <summary>All devices of this gateway together.</summary>
    public TrafficOptions Hub { get; set; } = new();

    /// <summary>
    /// Bytes a second, counted as those of devices, that all gateways of the hub may let in together: each has an even
    /// share of it. Without a value as with 0, or on Cassandra its Telemetry:HubBytesPerSecond.
    /// </summary>
    public ByteSize? SharedBytesPerSecond { get; set; }

    /// <summary>Each device for which nothing else is said.</summary>
    public DeviceLimitOptions Device { get; set; } = new()
    {
        ConnectionsMax = 100,
        ConnectsPerSecond = 50,
        MessagesPerSecond = 50_000,
        BytesPerSecond = ByteSize.FromMiB(64),
        TopicBytesMax = ByteSize.FromKiB(8),
        TopicLevelsMax = 32,
        SubscriptionsMax = 100,
    };

    /// <summary>Devices with limits of their own, by id; a device stands in one entry.</summary>
    public List<NamedDeviceLimitOptions> Devices { get; set; } = [];

    /// <summary>How much of a rate may come at once: 2 s let twice the rate in, after a time of silence.</summary>
    public TimeSpan Burst { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A device over its rate is read more slowly. One that is still over it after this time is disconnected; 0 never
    /// does that.
    /// </summary>
    public TimeSpan SlowedMax { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a connection may wait for its turn in the hub's connect rate; then it is closed.</summary>
    public TimeSpan ConnectWaitMax { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a client may leave what it was sent unread.</summary>
    public TimeSpan UnreadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>TLS handshakes at a time; more wait, for as long as a handshake may take.</summary>
    public int HandshakesMax { get; set; } = 256;

    /// <summary>What is done about credentials that are guessed.</summary>
    public LoginLimitOptions Logins { get; set; } = new();
}

/// <summary>
/// Failed logins, by which further ones under the same device name, or from the same address, are made to wait.
/// </summary>
public sealed class LoginLimitOptions
{
    /// <summary>Failed logins a minute under one device name; 0 means no limit.</summary>
    public int DeviceFailuresPerMinute { get; set; } = 20;

    /// <summary>Failed logins a minute from one address (of IPv6, one /64); 0 means no limit.</summary>
    public int AddressFailuresPerMinute { get; set; } = 300;

    /// <summary>The longest that a login is made to wait, whether it will succeed or not.</summary>
    public TimeSpan DelayMax { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Names and addresses that are remembered.</summary>
    public int TrackedMax { get; set; } = 100_000;
}
