namespace Millrace.Stores.Bridges;

/// <summary>What a bridge says of itself, for the API; written every few seconds.</summary>
/// <param name="ClientId">Tells the gateways apart that run a bridge of one name.</param>
/// <param name="Since">When it was connected, or lost its connection.</param>
/// <param name="Received">Messages from the broker since the gateway started.</param>
/// <param name="Accepted">Of these, how many are durable in the event log as telemetry.</param>
/// <param name="Duplicates">Messages that came again with QoS 2 and were not written again.</param>
/// <param name="Sent">Records that the broker has acknowledged.</param>
/// <param name="InFlight">Messages that wait for the event log, and records that wait for the broker.</param>
/// <param name="Lag">Records of the event log that the broker has not acknowledged yet.</param>
public sealed record BridgeStatus(
    string Name, string ClientId, string Broker, bool Connected, DateTimeOffset Since, string? LastError,
    DateTimeOffset? LastErrorAt, long Received, long Accepted, long DeadLettered, long Duplicates, long Sent,
    long InFlight, long Lag, DateTimeOffset UpdatedAt)
{
    /// <summary>The topics that it brings out; null: a version that does not say it.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }
}

/// <summary>
/// What must be known of a broker's session after a crash, so that a message with QoS 2 is written once: which packet
/// ids the broker has not released yet, and from which offsets on the log says the rest.
/// </summary>
/// <param name="SessionId">Stands in the header mqtt-session.</param>
/// <param name="NextExchange">The number of the next message with QoS 2.</param>
/// <param name="Offsets">
/// A place in each partition of the telemetry topic. What is not said here stands after it.
/// </param>
public sealed record BridgeSession(
    string Name, string ClientId, string SessionId, long NextExchange, IReadOnlyList<OpenExchange> Open,
    IReadOnlyList<long> Offsets);

/// <summary>A message with QoS 2 that the broker has not released.</summary>
/// <param name="InLog">Whether it is durable; else the log has to be asked.</param>
public sealed record OpenExchange(ushort PacketId, long Number, bool InLog);

/// <summary>The bridges' sessions, which are durable, and their statuses. Each is of one name and client id.</summary>
public interface IBridgeStore
{
    ValueTask SaveSessionAsync(BridgeSession session, CancellationToken ct = default);

    ValueTask<BridgeSession?> FindSessionAsync(string name, string clientId, CancellationToken ct = default);

    ValueTask WriteStatusAsync(BridgeStatus status, CancellationToken ct = default);

    /// <summary>By name and client id; those that were written after the time.</summary>
    ValueTask<IReadOnlyList<BridgeStatus>> ListStatusAsync(DateTimeOffset after, CancellationToken ct = default);
}
