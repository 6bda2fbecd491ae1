using System.Text.Json;
using Millrace.Stores.Queries;

namespace Millrace.Stores.Sqlite;

/// <summary>Queries and their starts are durable; what a query says of itself is not worth a disk sync.</summary>
internal sealed class SqliteQueryStore(SqliteDatabase database, SqliteDatabase warm) : IQueryStore
{
    public ValueTask<bool> SaveAsync(QueryConfig query, int expectedVersion, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var have = session.Scalar<long>("SELECT version FROM queries WHERE name = ?1", query.Name);
            if (have != expectedVersion) return false;
            session.Run("INSERT OR REPLACE INTO queries VALUES(?1, ?2, ?3, ?4)", query.Name, query.Version,
                (int)query.State, JsonSerializer.Serialize(query));
            session.Run("INSERT INTO query_versions VALUES(?1, ?2) " +
                "ON CONFLICT DO UPDATE SET version = max(version, excluded.version)", query.Name, query.Version);
            return true;
        }, ct);

    public ValueTask<int> LastVersionAsync(string name, CancellationToken ct) =>
        database.ReadAsync(session =>
            (int)session.Scalar<long>("SELECT version FROM query_versions WHERE name = ?1", name), ct);

    public ValueTask<bool> SetStateAsync(string name, QueryState state, int? onlyVersion, CancellationToken ct) =>
        database.WriteAsync(session => session.Run(
            "UPDATE queries SET state = ?2 WHERE name = ?1 AND version = coalesce(?3, version)",
            name, (int)state, onlyVersion) > 0, ct);

    public ValueTask<IReadOnlyDictionary<string, long>> FixStartAsync(
        string name, int version, IReadOnlyDictionary<string, long> offsets, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyDictionary<string, long>>(session =>
        {
            session.Run("INSERT OR IGNORE INTO query_starts VALUES(?1, ?2, ?3)", name, version,
                JsonSerializer.Serialize(offsets));
            return Start(session, name, version)!;
        }, ct);

    public ValueTask<QueryConfig?> FindAsync(string name, CancellationToken ct) =>
        database.ReadAsync(session => List(session, name).SingleOrDefault(), ct);

    public ValueTask<IReadOnlyList<QueryConfig>> ListAsync(CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<QueryConfig>>(session => List(session, null), ct);

    public async ValueTask<bool> DeleteAsync(string name, int version, CancellationToken ct)
    {
        var isDeleted = await database.WriteAsync(session =>
        {
            if (session.Run("DELETE FROM queries WHERE name = ?1 AND version = ?2", name, version) == 0) return false;
            session.Run("DELETE FROM query_starts WHERE name = ?1 AND version <= ?2", name, version);
            return true;
        }, ct);
        if (isDeleted)
            await warm.WriteAsync(session => session.Run("DELETE FROM query_statuses WHERE name = ?1", name), ct);
        return isDeleted;
    }

    public ValueTask WriteStatusAsync(QueryStatus status, CancellationToken ct) =>
        warm.WriteAsync(session =>
        {
            session.Run("INSERT OR REPLACE INTO query_statuses VALUES(?1, ?2, ?3)", status.Name, status.Node,
                JsonSerializer.Serialize(status));
        }, ct);

    public ValueTask<QueryStatus?> StatusAsync(string name, CancellationToken ct) =>
        warm.ReadAsync(session => QueryStatus.Together(session.List(
            "SELECT status FROM query_statuses WHERE name = ?1",
            row => JsonSerializer.Deserialize<QueryStatus>(row.GetString(0))!, name)), ct);

    private static List<QueryConfig> List(SqliteSession session, string? name)
    {
        var rows = session.List("SELECT config, state FROM queries WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
            row => JsonSerializer.Deserialize<QueryConfig>(row.GetString(0))! with
            {
                State = (QueryState)row.GetInt32(1),
            }, name);
        return [.. rows.Select(q => q with { StartOffsets = Start(session, q.Name, q.Version) ?? q.StartOffsets })];
    }

    private static Dictionary<string, long>? Start(SqliteSession session, string name, int version) =>
        session.First("SELECT offsets FROM query_starts WHERE name = ?1 AND version = ?2",
            row => JsonSerializer.Deserialize<Dictionary<string, long>>(row.GetString(0))!, name, version);
}
