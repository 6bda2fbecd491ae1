namespace Millrace.Stores.Sessions;

/// <summary>Sessions are a device's own: another device with the same client id has another session.</summary>
public readonly record struct SessionKey(string DeviceId, string ClientId);

/// <summary>What a device has under a client id, as it is kept over disconnect and restart.</summary>
/// <param name="SessionId">Made anew with each clean start; header mqtt-session of what is published in it.</param>
/// <param name="Epoch">Of the newest connection that opened it. Older owners can write no more.</param>
/// <param name="IsConnected">A connection opened it and has not closed it.</param>
/// <param name="ExpirySeconds">How long it is kept without a connection; <see cref="uint.MaxValue"/>: for ever.</param>
/// <param name="ExpiresAt">
/// Null while it is connected, and when it is kept for ever; <see cref="DateTimeOffset.UnixEpoch"/> once it has been
/// ended, so that no clock takes it for one that goes on.
/// </param>
/// <param name="SentSequence">
/// Queued messages up to this one may have been sent before; those after it never were.
/// </param>
/// <param name="Queued">How many messages wait in it.</param>
public sealed record StoredSession(
    SessionKey Key, string SessionId, long Epoch, bool IsConnected, uint ExpirySeconds, DateTimeOffset? ExpiresAt,
    IReadOnlyList<SessionSubscription> Subscriptions, InboundExchanges Inbound, long SentSequence, int Queued)
{
    /// <summary>So long one that has ended is its taker's, before somebody else may take it.</summary>
    public static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(30);

    /// <summary>A message that others may have by its share was queued in it at some time.</summary>
    public bool HadShared { get; init; }

    /// <summary>Something may wait in it that others are to have when it ends.</summary>
    public bool MayLeaveShared => HadShared && Queued > 0;
}

/// <param name="RetainHandling">0: retained messages with each subscribe, 1: with a new one, 2: none.</param>
/// <param name="Identifier">0: none was given.</param>
public sealed record SessionSubscription(
    string Filter, int Qos, bool NoLocal, bool RetainAsPublished, int RetainHandling, uint Identifier);

/// <summary>The will of a connection. When that ends it waits for its delay, or until the session ends.</summary>
/// <param name="Properties">As MQTT 5 encodes them, without their length.</param>
public sealed record StoredWill(
    string Topic, int Qos, bool Retain, byte[] Properties, byte[] Payload, uint DelaySeconds);

/// <summary>A will whose time has come, handed out to be published.</summary>
/// <param name="Epoch">Of the connection that it is the will of.</param>
public sealed record DueWill(SessionKey Key, long Epoch, StoredWill Will)
{
    public static readonly TimeSpan HandedOutFor = TimeSpan.FromSeconds(30);
}

/// <summary>A session that was opened.</summary>
/// <param name="IsPresent">An old one goes on: session present.</param>
/// <param name="WasConnected">
/// The connection before did not close it: it is at work still, or ended in a crash.
/// </param>
/// <param name="Ended">The session that ended by this, as it was.</param>
/// <param name="Wills">Those that are due by this.</param>
public sealed record OpenedSession(
    StoredSession Session, bool IsPresent, bool WasConnected, StoredSession? Ended, IReadOnlyList<DueWill> Wills);

/// <summary>A session that ends with its connection has begun.</summary>
/// <param name="Epoch">Greater than all before it, as that of an opened session.</param>
/// <param name="Ended">The session that ended by this, as it was.</param>
/// <param name="Wills">Those that are due by this.</param>
public sealed record BegunSession(long Epoch, StoredSession? Ended, IReadOnlyList<DueWill> Wills);

/// <summary>What a connection leaves behind when it ends.</summary>
/// <param name="Inbound">Null leaves what is stored.</param>
/// <param name="SentSequence">The last queued message that was sent; 0 when none was.</param>
/// <param name="DropsWill">The connection ended so that its will is not to be published.</param>
public sealed record SessionClosure(
    InboundExchanges? Inbound, long SentSequence, uint ExpirySeconds, bool DropsWill = false)
{
    /// <summary>Of a session that ends with its connection.</summary>
    public static SessionClosure End(bool dropsWill) => new(InboundExchanges.None, 0, 0, dropsWill);
}

/// <param name="IsOwner">False: the session is gone, or another connection's, and is as it was.</param>
/// <param name="Will">Due at once; null when there is none, it waits, or the session's next owner has it.</param>
public readonly record struct ClosedSession(bool IsOwner, DueWill? Will);

/// <summary>What the clock brought.</summary>
/// <param name="Ended">Sessions that are removed, or held for what they leave, as they were.</param>
/// <param name="Wills">Wills to publish now.</param>
/// <param name="HasMore">There may be more of one of them than was asked for.</param>
public sealed record SweepResult(IReadOnlyList<StoredSession> Ended, IReadOnlyList<DueWill> Wills, bool HasMore);
