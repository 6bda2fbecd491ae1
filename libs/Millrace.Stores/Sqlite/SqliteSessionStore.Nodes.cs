using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>Which node's connection has a session, and which nodes are at work.</summary>
internal sealed partial class SqliteSessionStore
{
    public ValueTask<DateTimeOffset?> RenewAsync(string run, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync<DateTimeOffset?>(session =>
        {
            var before = session.Scalar<long?>("SELECT heard_at FROM session_nodes WHERE node = ?1", node);
            session.Run("INSERT OR REPLACE INTO session_nodes VALUES(?1, ?2)", node, now.ToUnixTimeMilliseconds());
            session.Run("INSERT OR IGNORE INTO node_runs VALUES(?1, ?2)", run, node);
            return before is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
        }, ct);

    public async ValueTask<int> CountNodesAsync(DateTimeOffset heardSince, CancellationToken ct) =>
        (int)await database.ReadAsync(session => session.Scalar<long>(
            "SELECT count(*) FROM session_nodes WHERE heard_at >= ?1", heardSince.ToUnixTimeMilliseconds()), ct)
            .ConfigureAwait(false);

    public ValueTask<IReadOnlyList<string>> ListLostRunsAsync(
        string run, DateTimeOffset heardSince, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<string>>(session => session.List(
            "SELECT run FROM node_runs WHERE run <> ?1 AND (node = ?2 OR " +
            "node NOT IN (SELECT n.node FROM session_nodes n WHERE n.heard_at >= ?3) AND " +
            "NOT EXISTS (SELECT 1 FROM session_nodes n WHERE n.heard_at >= ?3 AND n.node < ?2)) ORDER BY run",
            row => row.GetString(0), run, node, heardSince.ToUnixTimeMilliseconds()), ct);

    public ValueTask EndRunAsync(string run, CancellationToken ct) =>
        database.WriteAsync(session => { session.Run("DELETE FROM node_runs WHERE run = ?1", run); }, ct);

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
