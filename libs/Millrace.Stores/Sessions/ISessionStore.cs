namespace Millrace.Stores.Sessions;

/// <summary>
/// The sessions that outlive their connections (MQTT 5 §4.1). What a call has returned is durable. An epoch that is
/// given out is greater than all before it; calls that take one return false, and change nothing, when the session has
/// another or is gone.
/// </summary>
public interface ISessionStore
{
    /// <summary>
    /// Takes the session over under a new epoch. With <paramref name="cleanStart"/>, or when the old one has expired,
    /// nothing of that is kept, and a new one begins. A will that waits in one that goes on is dropped; wills of
    /// connections that this one takes over from, and of a session that ends, are due.
    /// </summary>
    /// <param name="will">Of the connection; kept until it is published, or the connection ends without.</param>
    ValueTask<OpenedSession> OpenAsync(
        SessionKey key, bool cleanStart, uint expirySeconds, DateTimeOffset now, StoredWill? will = null,
        CancellationToken ct = default);

    /// <summary>
    /// Begins a session that ends with its connection: one that was kept under this name ends, and of the new one
    /// nothing is kept but its will.
    /// </summary>
    ValueTask<BegunSession> BeginAsync(
        SessionKey key, DateTimeOffset now, StoredWill? will = null, CancellationToken ct = default);

    ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken ct = default);

    /// <summary>In the order of their client ids' bytes.</summary>
    ValueTask<IReadOnlyList<StoredSession>> OfDeviceAsync(string deviceId, CancellationToken ct = default);

    /// <summary>All sessions, in no order that means anything.</summary>
    ValueTask<Page<StoredSession>> ListAsync(int limit, string? continuation, CancellationToken ct = default);

    ValueTask<bool> SaveInboundAsync(
        SessionKey key, long epoch, InboundExchanges inbound, CancellationToken ct = default);

    /// <summary>Adds subscriptions; one to the same filter is replaced.</summary>
    ValueTask<bool> SubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<SessionSubscription> subscriptions, CancellationToken ct = default);

    /// <summary>Filters that are not subscribed to are no error.</summary>
    ValueTask<bool> UnsubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<string> filters, CancellationToken ct = default);

    /// <summary>The connection has ended; from now on the session expires, and the will waits or is due.</summary>
    ValueTask<ClosedSession> CloseAsync(
        SessionKey key, long epoch, SessionClosure closure, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>
    /// Queues messages, each for its session, those of a device in one step; what came of each is told in their order.
    /// When a queue has no room, messages in it that have expired and were never sent make room first.
    /// </summary>
    ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>
    /// The same, and saves which QoS 2 publishes of their sender are open: so that a publish whose messages are queued
    /// is known, and one that is known has its messages queued, at the latest by the next sweep when the process dies
    /// in between. Null, with nothing queued, when the sender's epoch is not its session's.
    /// </summary>
    ValueTask<IReadOnlyList<EnqueueResult>?> EnqueueOnceAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, SessionKey sender, long epoch,
        InboundExchanges inbound, CancellationToken ct = default);

    /// <summary>
    /// What waits in the session, oldest first: at most <paramref name="max"/> messages, and none more once their bytes
    /// are <paramref name="bytesMax"/> or above.
    /// </summary>
    ValueTask<IReadOnlyList<QueuedMessage>> QueueAsync(
        SessionKey key, long afterSequence, int max, long bytesMax, CancellationToken ct = default);

    /// <summary>The device has acknowledged them, or they have expired. Those not there are no error.</summary>
    ValueTask<bool> RemoveAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct = default);

    /// <summary>PUBREC has come for them: not the message, only its release is to be sent again.</summary>
    ValueTask<bool> MarkReceivedAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct = default);

    /// <summary>
    /// Ends the session, and takes it under a new epoch. It takes no more messages and never goes on; what waits in it
    /// is its taker's, who removes it once others have it, and then the session. One that nobody takes again or removes
    /// for <see cref="StoredSession.HeldFor"/> is swept again. Null when it has another epoch, or is gone.
    /// </summary>
    ValueTask<StoredSession?> EndAsync(
        SessionKey key, long epoch, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>Removes a session that was ended, with what waits in it still.</summary>
    ValueTask<bool> ForgetAsync(SessionKey key, long epoch, CancellationToken ct = default);

    /// <summary>
    /// Ends all sessions of a device, and returns them as they were. Those that may leave something shared are held
    /// until they are taken by <see cref="EndAsync"/>; one that is held already stays as it is. Wills that wait are
    /// dropped.
    /// </summary>
    ValueTask<IReadOnlyList<StoredSession>> DeleteOfDeviceAsync(
        string deviceId, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>
    /// Removes sessions that have expired, and hands out wills that are due: no more than <paramref name="max"/> of
    /// each, so that neither waits for the other. Sessions that may leave something shared are held until they are
    /// taken by <see cref="EndAsync"/>.
    /// </summary>
    ValueTask<SweepResult> SweepAsync(DateTimeOffset now, int max, CancellationToken ct = default);

    /// <summary>
    /// Says that this node is at work; the sessions that its connections open are its. Returns when it said so before,
    /// null for the first time.
    /// </summary>
    /// <param name="run">Of this node, from its start to its end: what a crash of it left is known by it.</param>
    ValueTask<DateTimeOffset?> RenewAsync(string run, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>How many nodes said since that they are at work.</summary>
    ValueTask<int> CountNodesAsync(DateTimeOffset heardSince, CancellationToken ct = default);

    /// <summary>
    /// Runs that ended without a word, and are this node's to look after: earlier ones of its own, and those of nodes
    /// of which nothing was heard since, when no node that was heard since comes before this one by name.
    /// </summary>
    ValueTask<IReadOnlyList<string>> ListLostRunsAsync(
        string run, DateTimeOffset heardSince, CancellationToken ct = default);

    /// <summary>It has ended in order, or what it left is looked after. One that is not there is no error.</summary>
    ValueTask EndRunAsync(string run, CancellationToken ct = default);

    /// <summary>The node whose connection has the session; null when none has, or it was not heard since.</summary>
    ValueTask<string?> HolderAsync(SessionKey key, DateTimeOffset heardSince, CancellationToken ct = default);

    /// <summary>Connected sessions of nodes of which nothing was heard since; with own, of this node too.</summary>
    ValueTask<IReadOnlyList<StoredSession>> ListLeftAsync(
        DateTimeOffset heardSince, bool own, int max, CancellationToken ct = default);

    /// <summary>
    /// The connections of nodes of which nothing was heard since, with own of this node too, have ended with them: each
    /// of their wills waits from now on or is due. Of this node's, those that were handed out are so again.
    /// </summary>
    ValueTask LeaveWillsAsync(
        DateTimeOffset now, DateTimeOffset heardSince, bool own, CancellationToken ct = default);

    /// <summary>
    /// They are published, or never can be. One that was handed out is handed out again after
    /// <see cref="DueWill.HandedOutFor"/> unless this is said of it.
    /// </summary>
    ValueTask RemoveWillsAsync(IReadOnlyList<DueWill> wills, CancellationToken ct = default);
}
