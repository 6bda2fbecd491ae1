namespace Millrace.Stores.Sessions;

/// <summary>Sessions are a device's own: another device with the same client id has another session.</summary>
public readonly record struct SessionKey(string DeviceId, string ClientId);

/// <summary>What a device has under a client id, as it is kept over disconnect and restart.</summary>
/// <param name="SessionId">Made anew with each clean start; header mqtt-session of what is published in it.</param>
/// <param name="Epoch">Of the newest connection that opened it. Older owners can write no more.</param>
/// <param name="IsConnected">A connection opened it and has not closed it.</param>
/// <param name="ExpirySeconds">How long it is kept without a connection; <see cref="uint.MaxValue"/>: for ever.</param>
/// <param name="ExpiresAt">Null while it is connected, and when it is kept for ever.</param>
/// <param name="SentSequence">
/// Queued messages up to this one may have been sent before; those after it never were.
/// </param>
/// <param name="Queued">How many messages wait in it.</param>
/// <param name="Will">Waits for its time; null when there is none, or it was handed out.</param>
public sealed record StoredSession(
    SessionKey Key, string SessionId, long Epoch, bool IsConnected, uint ExpirySeconds, DateTimeOffset? ExpiresAt,
    IReadOnlyList<SessionSubscription> Subscriptions, InboundExchanges Inbound, long SentSequence, int Queued,
    StoredWill? Will);

/// <param name="RetainHandling">0: retained messages with each subscribe, 1: with a new one, 2: none.</param>
/// <param name="Identifier">0: none was given.</param>
public sealed record SessionSubscription(
    string Filter, int Qos, bool NoLocal, bool RetainAsPublished, int RetainHandling, uint Identifier);

/// <summary>The will of a connection that is gone, until its delay has passed or its session has ended.</summary>
/// <param name="Properties">As MQTT 5 encodes them, without their length.</param>
public sealed record StoredWill(
    string Topic, int Qos, bool Retain, byte[] Properties, byte[] Payload, DateTimeOffset DueAt);

/// <summary>A session that was opened.</summary>
/// <param name="IsPresent">An old one goes on: session present.</param>
/// <param name="WasConnected">
/// The connection before did not close it: it is at work still, or ended in a crash. What <see cref="StoredSession"/>
/// says of exchanges then has to be completed from the log.
/// </param>
/// <param name="Ended">The session that ended by this, as it was; its will is due now.</param>
public sealed record OpenedSession(StoredSession Session, bool IsPresent, bool WasConnected, StoredSession? Ended);

/// <summary>What a connection leaves behind when it ends.</summary>
/// <param name="SentSequence">The last queued message that was sent; 0 when none was.</param>
public sealed record SessionClosure(
    InboundExchanges Inbound, long SentSequence, uint ExpirySeconds, StoredWill? Will = null);

/// <summary>A will whose time has come.</summary>
public sealed record DueWill(SessionKey Key, string SessionId, StoredWill Will);

/// <summary>What the clock brought.</summary>
/// <param name="Ended">Sessions that are removed, as they were.</param>
/// <param name="Wills">Wills to publish now, those of ended sessions among them.</param>
/// <param name="HasMore">There was more than was asked for.</param>
public sealed record SweepResult(IReadOnlyList<StoredSession> Ended, IReadOnlyList<DueWill> Wills, bool HasMore);
