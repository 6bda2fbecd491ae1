using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>Whose a session is, what it subscribes to, and how it ends.</summary>
/// <param name="node">Whose connections open sessions here.</param>
internal sealed partial class SqliteSessionStore(SqliteDatabase database, string node) : ISessionStore
{
    private const string List = "sessions";
    private const string Owned = "WHERE device = ?1 AND client = ?2 AND epoch = ?3";

    public ValueTask<OpenedSession> OpenAsync(
        SessionKey key, bool cleanStart, uint expirySeconds, DateTimeOffset now, StoredWill? will,
        CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var epoch = NextEpoch(session);
            var old = SessionRow.Find(session, key);
            var goesOn = old is not null && !cleanStart && !(old.Session.ExpiresAt <= now);
            if (goesOn) Resume(session, old!, epoch, expirySeconds, node);
            else
            {
                old?.Remove(session);
                session.Run("INSERT INTO sessions(device, client, session_id, epoch, connected, expiry, inbound, " +
                    "node, sent_sequence, last_sequence, queued, queued_bytes) " +
                    "VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, 0, 0, 0, 0)",
                    key.DeviceId, key.ClientId, Guid.CreateVersion7(now).ToString("N"), epoch, (long)expirySeconds,
                    SessionBlobs.Write(InboundExchanges.None), node);
            }

            return new OpenedSession(SessionRow.Find(session, key)!.Session, goesOn,
                goesOn && old!.Session.IsConnected, goesOn ? null : old?.Session,
                SessionWills.Begin(session, key, epoch, will, goesOn, node, now));
        }, ct);

    public ValueTask<BegunSession> BeginAsync(
        SessionKey key, DateTimeOffset now, StoredWill? will, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var epoch = NextEpoch(session);
            var old = SessionRow.Find(session, key);
            old?.Remove(session);
            return new BegunSession(
                epoch, old?.Session, SessionWills.Begin(session, key, epoch, will, goesOn: false, node, now));
        }, ct);

    public ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken ct) =>
        database.ReadAsync(session => SessionRow.Find(session, key)?.Session, ct);

    public ValueTask<IReadOnlyList<StoredSession>> OfDeviceAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<StoredSession>>(
            session => SessionRow.OfDevice(session, deviceId).ConvertAll(row => row.Session), ct);

    public ValueTask<Page<StoredSession>> ListAsync(int limit, string? continuation, CancellationToken ct)
    {
        var after = continuation is null
            ? 0
            : ContinuationToken.Number(ContinuationToken.Read(List, continuation, 1)[0], continuation);
        return database.ReadAsync(session =>
        {
            var rows = SessionRow.After(session, after, Columns.OneMore(limit));
            var page = Columns.Cut(rows, limit, last => ContinuationToken.Write(List, last.Id));
            return new Page<StoredSession>([.. page.Items.Select(row => row.Session)], page.Continuation);
        }, ct);
    }

    public ValueTask<bool> SaveInboundAsync(
        SessionKey key, long epoch, InboundExchanges inbound, CancellationToken ct) =>
        database.WriteAsync(session => SaveInbound(session, key, epoch, inbound), ct);

    public ValueTask<bool> SubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<SessionSubscription> subscriptions, CancellationToken ct) =>
        OwnedAsync(key, epoch, (session, id) =>
        {
            foreach (var one in subscriptions)
            {
                session.Run("INSERT OR REPLACE INTO session_subscriptions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", id,
                    one.Filter, one.Qos, one.NoLocal, one.RetainAsPublished, one.RetainHandling, (long)one.Identifier);
            }
        }, ct);

    public ValueTask<bool> UnsubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<string> filters, CancellationToken ct) =>
        OwnedAsync(key, epoch, (session, id) =>
        {
            foreach (var filter in filters)
                session.Run("DELETE FROM session_subscriptions WHERE session = ?1 AND filter = ?2", id, filter);
        }, ct);

    public ValueTask<ClosedSession> CloseAsync(
        SessionKey key, long epoch, SessionClosure closure, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var expiresAt = closure.ExpirySeconds == uint.MaxValue
                ? null
                : (long?)now.AddSeconds(closure.ExpirySeconds).ToUnixTimeMilliseconds();
            var isOwner = session.Run("UPDATE sessions SET connected = 0, inbound = coalesce(?4, inbound), " +
                "sent_sequence = max(sent_sequence, ?5), expiry = ?6, expires_at = ?7 " + Owned +
                " AND coalesce(expires_at, 1) > 0", key.DeviceId,
                key.ClientId, epoch, closure.Inbound is { } inbound ? SessionBlobs.Write(inbound) : null,
                closure.SentSequence, (long)closure.ExpirySeconds, expiresAt) > 0;
            return new ClosedSession(isOwner, SessionWills.Close(session, key, epoch, closure, now));
        }, ct);

    public ValueTask<StoredSession?> EndAsync(
        SessionKey key, long epoch, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (SessionRow.Find(session, key) is not { } row || row.Session.Epoch != epoch) return null;
            row.Hold(session, NextEpoch(session), now);
            return SessionRow.Find(session, key)?.Session;
        }, ct);

    public ValueTask<bool> ForgetAsync(SessionKey key, long epoch, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (SessionRow.Find(session, key) is not { } row || row.Session.Epoch != epoch) return false;
            row.Remove(session);
            return true;
        }, ct);

    public ValueTask<IReadOnlyList<StoredSession>> DeleteOfDeviceAsync(
        string deviceId, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyList<StoredSession>>(session =>
        {
            var rows = SessionRow.OfDevice(session, deviceId);
            rows.RemoveAll(row => row.HeldUntil > now);
            rows.ForEach(row => row.End(session, now));
            SessionWills.DropWaiting(session, deviceId);
            return rows.ConvertAll(row => row.Session);
        }, ct);

    public ValueTask<SweepResult> SweepAsync(DateTimeOffset now, int max, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return database.WriteAsync(session =>
        {
            var ended = SessionRow.Expired(session, now, max);
            ended.ForEach(row => row.End(session, now));
            var due = SessionWills.Due(session, now, max);
            return new SweepResult(ended.ConvertAll(row => row.Session), due, Math.Max(ended.Count, due.Count) >= max);
        }, ct);
    }

    public async ValueTask LeaveWillsAsync(
        DateTimeOffset now, DateTimeOffset heardSince, bool own, CancellationToken ct) =>
        await database.WriteAsync(session => SessionWills.Leave(session, now, heardSince, own ? node : null), ct);

    public async ValueTask RemoveWillsAsync(IReadOnlyList<DueWill> wills, CancellationToken ct) =>
        await database.WriteAsync(session => SessionWills.Remove(session, wills), ct);

    /// <summary>One count for all: a session that is removed and made again does not give an epoch twice.</summary>
    private static long NextEpoch(SqliteSession session) => session.Scalar<long>(
        "INSERT INTO session_epoch VALUES(1, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch");

    private static bool SaveInbound(SqliteSession session, SessionKey key, long epoch, InboundExchanges inbound) =>
        session.Run($"UPDATE sessions SET inbound = ?4 {Owned}", key.DeviceId, key.ClientId, epoch,
            SessionBlobs.Write(inbound)) > 0;

    /// <summary>Does the work when the epoch is still the session's; it is given the session's number.</summary>
    private ValueTask<bool> OwnedAsync(
        SessionKey key, long epoch, Action<SqliteSession, long> work, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var id = session.Scalar<long>($"SELECT id FROM sessions {Owned}", key.DeviceId, key.ClientId, epoch);
            if (id != 0) work(session, id);
            return id != 0;
        }, ct);

    private static void Resume(SqliteSession session, SessionRow row, long epoch, uint expirySeconds, string node) =>
        session.Run("UPDATE sessions SET epoch = ?2, connected = 1, expiry = ?3, expires_at = NULL, " +
            "sent_sequence = iif(connected, last_sequence, sent_sequence), node = ?4 WHERE id = ?1",
            row.Id, epoch, (long)expirySeconds, node);
}
