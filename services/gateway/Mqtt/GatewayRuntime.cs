using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Mqtt;

/// <summary>What all connections share.</summary>
internal sealed class GatewayRuntime(
    IOptions<GatewayOptions> options, ConnectionTable connections, DeviceAuthenticator authenticator,
    IdentityCache identities, RefusalLog refusals, TopicRouter router, TelemetryPublisher publisher,
    LifecycleWriter lifecycle, SessionKeeper sessions, WillPublisher wills, SpaceBroker spaces, GatewayMetrics metrics,
    TimeProvider time, ILogger<MqttConnection> log)
{
    private long _lastConnection;
    private int _nowSeconds;
    private volatile bool _isDraining;

    public GatewayOptions Options { get; } = options.Value;

    public SessionLimits Limits { get; } = new(
        (int)options.Value.PacketBytesMax.Bytes, options.Value.InFlightMax, options.Value.TopicAliasMax,
        (int)options.Value.KeepAliveMax.TotalSeconds, (uint)options.Value.Sessions.ExpiryMax.TotalSeconds,
        options.Value.Sessions.OutboundInFlightMax, options.Value.Sessions.OutboundTopicAliasMax,
        MayRetain: spaces.Table.Spaces.Any(space => space.MayRetain), MayShare: spaces.Table.Spaces.Count > 0);

    public ConnectionTable Connections { get; } = connections;

    public DeviceAuthenticator Authenticator { get; } = authenticator;

    public IdentityCache Identities { get; } = identities;

    public RefusalLog Refusals { get; } = refusals;

    public TopicRouter Router { get; } = router;

    public TelemetryPublisher Publisher { get; } = publisher;

    public LifecycleWriter Lifecycle { get; } = lifecycle;

    public SessionKeeper Sessions { get; } = sessions;

    public WillPublisher Wills { get; } = wills;

    public SpaceBroker Spaces { get; } = spaces;

    public GatewayMetrics Metrics { get; } = metrics;

    public TimeProvider Time { get; } = time;

    public ILogger Log { get; } = log;

    /// <summary>Tells connections of different runs apart.</summary>
    public string RunId { get; } = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");

    /// <summary>A clock that moves once a second: looking at it costs a connection nothing.</summary>
    public int NowSeconds
    {
        get => Volatile.Read(ref _nowSeconds);
        set => Volatile.Write(ref _nowSeconds, value);
    }

    /// <summary>No connection is let in any more, and those that are open are being closed.</summary>
    public bool IsDraining
    {
        get => _isDraining;
        set => _isDraining = value;
    }

    public long NextConnectionNumber() => Interlocked.Increment(ref _lastConnection);

    public string ConnectionId(long number) => $"{RunId}-{number}";
}
