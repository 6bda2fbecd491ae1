using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Mqtt;

/// <summary>What all connections share.</summary>
internal sealed class GatewayRuntime(
    IOptions<GatewayOptions> options, ConnectionTable connections, ConnectionWatch watch,
    DeviceAuthenticator authenticator, IdentityCache identities, RefusalLog refusals, TopicRouter router,
    TelemetryPublisher publisher, LifecycleWriter lifecycle, GatewayRun run, GatewayLimits limits,
    SessionKeeper sessions, SessionEnds sessionEnds, QueueMemory queueMemory, WillPublisher wills, SpaceBroker spaces,
    GatewayMetrics metrics, TimeProvider time, ILogger<MqttConnection> log)
{
    private long _lastConnection;
    private volatile bool _isDraining;

    public GatewayOptions Options { get; } = options.Value;

    public GatewayLimits Limits { get; } = limits;

    /// <summary>What holds until it is known whose the connection is.</summary>
    public SessionLimits SessionLimits { get; } = spaces.Table.Granting(GatewayLimits.SessionOf(options.Value));

    public ConnectionTable Connections { get; } = connections;

    public DeviceAuthenticator Authenticator { get; } = authenticator;

    public IdentityCache Identities { get; } = identities;

    public RefusalLog Refusals { get; } = refusals;

    public TopicRouter Router { get; } = router;

    public TelemetryPublisher Publisher { get; } = publisher;

    public LifecycleWriter Lifecycle { get; } = lifecycle;

    public SessionKeeper Sessions { get; } = sessions;

    public SessionEnds SessionEnds { get; } = sessionEnds;

    public QueueMemory QueueMemory { get; } = queueMemory;

    public WillPublisher Wills { get; } = wills;

    public SpaceBroker Spaces { get; } = spaces;

    public GatewayMetrics Metrics { get; } = metrics;

    public TimeProvider Time { get; } = time;

    public ILogger Log { get; } = log;

    public GatewayRun Run { get; } = run;

    /// <inheritdoc cref="ConnectionWatch.NowSeconds"/>
    public int NowSeconds => watch.NowSeconds;

    /// <summary>No connection is let in any more, and those that are open are being closed.</summary>
    public bool IsDraining
    {
        get => _isDraining;
        set => _isDraining = value;
    }

    public long NextConnectionNumber() => Interlocked.Increment(ref _lastConnection);
}
