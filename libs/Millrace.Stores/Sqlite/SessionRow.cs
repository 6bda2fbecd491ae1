using Microsoft.Data.Sqlite;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>A session with the number that its rows in other tables have.</summary>
/// <param name="HeldUntil">Of one that has ended, while it is somebody's.</param>
internal sealed record SessionRow(long Id, StoredSession Session, DateTimeOffset? HeldUntil)
{
    private const string Select = "SELECT id, device, client, session_id, epoch, connected, expiry, expires_at, " +
        "inbound, sent_sequence, queued, had_shared, held_until FROM sessions";

    public static SessionRow? Find(SqliteSession session, SessionKey key) => Complete(session, session.First(
        $"{Select} WHERE device = ?1 AND client = ?2", Read, key.DeviceId, key.ClientId));

    public static List<SessionRow> OfDevice(SqliteSession session, string deviceId) => Complete(session,
        session.List($"{Select} WHERE device = ?1 ORDER BY client", Read, deviceId));

    public static List<SessionRow> After(SqliteSession session, long id, long limit) => Complete(session,
        session.List($"{Select} WHERE id > ?1 ORDER BY id LIMIT ?2", Read, id, limit));

    public static List<SessionRow> Expired(SqliteSession session, DateTimeOffset now, long limit) =>
        Complete(session, session.List($"{Select} WHERE expires_at <= ?1 AND coalesce(held_until, 0) <= ?1 " +
            "ORDER BY expires_at LIMIT ?2", Read, now.ToUnixTimeMilliseconds(), limit));

    /// <param name="own">A node whose sessions count as left, whatever was heard of it.</param>
    public static List<SessionRow> Left(SqliteSession session, DateTimeOffset heardSince, string? own, long limit) =>
        Complete(session, session.List($"{Select} WHERE connected = 1 AND (node = ?2 OR node NOT IN " +
            "(SELECT n.node FROM session_nodes n WHERE n.heard_at >= ?1)) ORDER BY id LIMIT ?3", Read,
            heardSince.ToUnixTimeMilliseconds(), own, limit));

    /// <summary>
    /// It has ended, and is somebody's for a while. What a connection that it had has sent is not known: any of it.
    /// </summary>
    public void Hold(SqliteSession session, long epoch, DateTimeOffset now) => session.Run(
        "UPDATE sessions SET epoch = ?2, connected = 0, expiry = 0, expires_at = 0, held_until = ?3, " +
        "sent_sequence = iif(connected, last_sequence, sent_sequence) WHERE id = ?1", Id, epoch,
        (now + StoredSession.HeldFor).ToUnixTimeMilliseconds());

    /// <summary>It has ended: it is removed, or held for what it leaves.</summary>
    public void End(SqliteSession session, DateTimeOffset now)
    {
        if (Session.MayLeaveShared) Hold(session, Session.Epoch, now);
        else Remove(session);
    }

    public void Remove(SqliteSession session)
    {
        session.Run("DELETE FROM session_messages WHERE session = ?1", Id);
        session.Run("DELETE FROM session_sources WHERE session = ?1", Id);
        session.Run("DELETE FROM session_subscriptions WHERE session = ?1", Id);
        session.Run("DELETE FROM sessions WHERE id = ?1", Id);
    }

    private static SessionRow? Complete(SqliteSession session, SessionRow? row) => row is null
        ? null
        : row with { Session = row.Session with { Subscriptions = Subscriptions(session, row.Id) } };

    private static List<SessionRow> Complete(SqliteSession session, List<SessionRow> rows) =>
        rows.ConvertAll(row => Complete(session, row)!);

    private static List<SessionSubscription> Subscriptions(SqliteSession session, long id) => session.List(
        "SELECT filter, qos, no_local, retain_as_published, retain_handling, identifier FROM session_subscriptions " +
        "WHERE session = ?1 ORDER BY filter", row => new SessionSubscription(row.GetString(0), row.GetInt32(1),
            row.GetBoolean(2), row.GetBoolean(3), row.GetInt32(4), (uint)row.GetInt64(5)), id);

    private static SessionRow Read(SqliteDataReader row)
    {
        var key = new SessionKey(row.GetString(1), row.GetString(2));
        return new SessionRow(row.GetInt64(0), new StoredSession(key, row.GetString(3), row.GetInt64(4),
            row.GetBoolean(5), (uint)row.GetInt64(6), row.TimeOrNull(7), [], SessionBlobs.ReadInbound(row.Bytes(8)),
            row.GetInt64(9), row.GetInt32(10))
        {
            HadShared = row.GetBoolean(11),
        }, row.TimeOrNull(12));
    }
}
