using Microsoft.Data.Sqlite;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// Wills, each under its connection's epoch. Of one whose connection is there it is not known when to hand it out; of
/// one that waits it is when it is due; and of one that was handed out, when to do so again.
/// </summary>
internal static class SessionWills
{
    private const string Fields = "device, client, epoch, delay, will";

    /// <summary>
    /// A connection takes the name over. Unless the session goes on before their time, the wills of those before are
    /// due, and returned.
    /// </summary>
    public static List<DueWill> Begin(
        SqliteSession session, SessionKey key, long epoch, StoredWill? will, bool goesOn, string node,
        DateTimeOffset now)
    {
        if (goesOn)
        {
            session.Run("DELETE FROM wills WHERE device = ?1 AND client = ?2 AND handed_out = 0 " +
                "AND coalesce(hand_out_at > ?3, delay > 0)", key.DeviceId, key.ClientId, now.ToUnixTimeMilliseconds());
        }

        var due = session.List("UPDATE wills SET handed_out = 1, hand_out_at = ?3 WHERE device = ?1 AND client = ?2 " +
            $"AND handed_out = 0 RETURNING {Fields}", Read, key.DeviceId, key.ClientId, Again(now));
        if (will is not null)
        {
            session.Run("INSERT INTO wills(epoch, device, client, delay, will, node) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                epoch, key.DeviceId, key.ClientId, (long)will.DelaySeconds, SessionBlobs.Write(will), node);
        }

        return due;
    }

    /// <summary>The connection has ended: its will when it is due now.</summary>
    public static DueWill? Close(
        SqliteSession session, SessionKey key, long epoch, SessionClosure closure, DateTimeOffset now)
    {
        const string Own = "WHERE device = ?1 AND client = ?2 AND epoch = ?3 AND hand_out_at IS NULL";
        if (closure.DropsWill)
        {
            session.Run($"DELETE FROM wills {Own}", key.DeviceId, key.ClientId, epoch);
            return null;
        }

        session.Run($"UPDATE wills SET hand_out_at = ?5 + 1000 * min(delay, ?4) {Own} AND min(delay, ?4) > 0",
            key.DeviceId, key.ClientId, epoch, (long)closure.ExpirySeconds, now.ToUnixTimeMilliseconds());
        return session.First($"UPDATE wills SET handed_out = 1, hand_out_at = ?4 {Own} RETURNING {Fields}", Read,
            key.DeviceId, key.ClientId, epoch, Again(now));
    }

    public static List<DueWill> Due(SqliteSession session, DateTimeOffset now, long limit) => session.List(
        "UPDATE wills SET handed_out = 1, hand_out_at = ?3 WHERE epoch IN " +
        $"(SELECT epoch FROM wills WHERE hand_out_at <= ?1 ORDER BY hand_out_at LIMIT ?2) RETURNING {Fields}", Read,
        now.ToUnixTimeMilliseconds(), limit, Again(now));

    /// <param name="own">A node that counts as left, whatever was heard of it.</param>
    public static int Leave(
        SqliteSession session, DateTimeOffset now, DateTimeOffset heardSince, string? own) => session.Run(
        "UPDATE wills SET hand_out_at = ?1 + iif(handed_out, 0, 1000 * min(delay, coalesce((SELECT expiry " +
        "FROM sessions s WHERE s.device = wills.device AND s.client = wills.client AND s.epoch = wills.epoch), 0))) " +
        "WHERE (hand_out_at IS NULL OR handed_out) AND node = ?3 OR hand_out_at IS NULL AND node NOT IN " +
        "(SELECT n.node FROM session_nodes n WHERE n.heard_at >= ?2)",
        now.ToUnixTimeMilliseconds(), heardSince.ToUnixTimeMilliseconds(), own);

    public static int Remove(SqliteSession session, IReadOnlyList<DueWill> wills) =>
        wills.Sum(will => session.Run("DELETE FROM wills WHERE epoch = ?1", will.Epoch));

    public static void DropWaiting(SqliteSession session, string deviceId) => session.Run(
        "DELETE FROM wills WHERE device = ?1 AND hand_out_at IS NOT NULL AND handed_out = 0", deviceId);

    private static long Again(DateTimeOffset now) => (now + DueWill.HandedOutFor).ToUnixTimeMilliseconds();

    private static DueWill Read(SqliteDataReader row) => new(
        new SessionKey(row.GetString(0), row.GetString(1)), row.GetInt64(2),
        SessionBlobs.ReadWill(row.Bytes(4), (uint)row.GetInt64(3)));
}
