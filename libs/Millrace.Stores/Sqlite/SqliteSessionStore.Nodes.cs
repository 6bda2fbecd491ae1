using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>Which node's connection has a session, and which nodes are at work.</summary>
internal sealed partial class SqliteSessionStore
{
    public ValueTask<DateTimeOffset?> RenewAsync(DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync<DateTimeOffset?>(session =>
        {
            var before = session.Scalar<long?>("SELECT heard_at FROM session_nodes WHERE node = ?1", node);
            session.Run("INSERT OR REPLACE INTO session_nodes VALUES(?1, ?2)", node, now.ToUnixTimeMilliseconds());
            return before is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
        }, ct);

    public ValueTask<string?> HolderAsync(SessionKey key, DateTimeOffset heardSince, CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<string>(
            "SELECT s.node FROM sessions s JOIN session_nodes n ON n.node = s.node " +
            "WHERE device = ?1 AND client = ?2 AND connected = 1 AND heard_at >= ?3",
            key.DeviceId, key.ClientId, heardSince.ToUnixTimeMilliseconds()), ct);

    public ValueTask<IReadOnlyList<StoredSession>> ListLeftAsync(
        DateTimeOffset heardSince, bool own, int max, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<StoredSession>>(session => SessionRow.Left(
            session, heardSince, own ? node : null, max).ConvertAll(row => row.Session), ct);
}
