using System.Text.Json;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Queries;

namespace Millrace.Stores.Cassandra.Queries;

/// <summary>
/// Queries are few and lie in one partition. The row of a deleted one stays, empty, with the highest version that its
/// name had. Rows and starts are changed by compare-and-set alone.
/// </summary>
internal sealed class CassandraQueryStore(CassandraDatabase database) : IQueryStore
{
    private static readonly StoreStatement Save = new("UPDATE queries SET version = ?, last_version = ?, state = ?, "
        + "config = ? WHERE hub = 'hub' AND name = ? IF version = ? AND last_version = ?");
    private static readonly StoreStatement SetState =
        new("UPDATE queries SET state = ? WHERE hub = 'hub' AND name = ? IF version > 0");
    private static readonly StoreStatement SetStateOfVersion =
        new("UPDATE queries SET state = ? WHERE hub = 'hub' AND name = ? IF version = ?");
    private static readonly StoreStatement Delete = new(
        "UPDATE queries SET version = null, state = null, config = null WHERE hub = 'hub' AND name = ? IF version = ?");
    private static readonly StoreStatement Select =
        new("SELECT version, last_version, state, config FROM queries WHERE hub = 'hub' AND name = ?");
    private static readonly StoreStatement SelectAll =
        new("SELECT version, last_version, state, config FROM queries WHERE hub = 'hub'");
    private static readonly StoreStatement InsertStart =
        new("INSERT INTO query_starts(name, version, offsets) VALUES(?, ?, ?) IF NOT EXISTS");
    private static readonly StoreStatement SelectStart =
        new("SELECT offsets FROM query_starts WHERE name = ? AND version = ?");
    private static readonly StoreStatement SelectStarts =
        new("SELECT version FROM query_starts WHERE name = ? AND version <= ?");
    private static readonly StoreStatement DeleteStart =
        new("DELETE FROM query_starts WHERE name = ? AND version = ? IF EXISTS");
    private static readonly StoreStatement InsertStatus =
        new("INSERT INTO query_statuses(name, node, status) VALUES(?, ?, ?)");
    private static readonly StoreStatement SelectStatuses =
        new("SELECT status FROM query_statuses WHERE name = ?");
    private static readonly StoreStatement DeleteStatuses = new("DELETE FROM query_statuses WHERE name = ?");

    public async ValueTask<bool> SaveAsync(QueryConfig query, int expectedVersion, CancellationToken ct)
    {
        var text = JsonSerializer.Serialize(query);
        while (true)
        {
            var have = await RowAsync(query.Name, ct).ConfigureAwait(false);
            if ((have?.Version ?? 0) != expectedVersion) return false;
            var last = Math.Max(have?.LastVersion ?? 0, query.Version);
            var saved = await database.RunAsync(Save, ct, query.Version, last, (int)query.State, text, query.Name,
                have?.Version, have?.LastVersion).ConfigureAwait(false);
            if (saved.Applied) return true;
        }
    }

    public async ValueTask<int> LastVersionAsync(string name, CancellationToken ct) =>
        (await RowAsync(name, ct).ConfigureAwait(false))?.LastVersion ?? 0;

    public async ValueTask<bool> SetStateAsync(
        string name, QueryState state, int? onlyVersion, CancellationToken ct)
    {
        var set = onlyVersion is { } version
            ? database.RunAsync(SetStateOfVersion, ct, (int)state, name, version)
            : database.RunAsync(SetState, ct, (int)state, name);
        return (await set.ConfigureAwait(false)).Applied;
    }

    public async ValueTask<IReadOnlyDictionary<string, long>> FixStartAsync(
        string name, int version, IReadOnlyDictionary<string, long> offsets, CancellationToken ct)
    {
        var first = await database.RunAsync(InsertStart, ct, name, version, JsonSerializer.Serialize(offsets))
            .ConfigureAwait(false);
        return first.Applied ? offsets : Offsets(first[0].Get<string>("offsets"));
    }

    public async ValueTask<QueryConfig?> FindAsync(string name, CancellationToken ct)
    {
        var row = await RowAsync(name, ct).ConfigureAwait(false);
        return row?.Config is null ? null : await WithStartAsync(row, ct).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<QueryConfig>> ListAsync(CancellationToken ct)
    {
        var rows = await database.ListAsync(SelectAll, Read, ct).ConfigureAwait(false);
        return await InFlight.SelectAsync(rows.FindAll(row => row.Config is not null), ct, WithStartAsync)
            .ConfigureAwait(false);
    }

    public async ValueTask<bool> DeleteAsync(string name, int version, CancellationToken ct)
    {
        // In this order: without its row, what else there is of a query means nothing.
        var deleted = await database.RunAsync(Delete, ct, name, version).ConfigureAwait(false);
        if (!deleted.Applied) return false;
        var starts = await database.ListAsync(SelectStarts, row => row.Get<int>(0), ct, name, version)
            .ConfigureAwait(false);
        foreach (var start in starts) await database.RunAsync(DeleteStart, ct, name, start).ConfigureAwait(false);
        await database.RunAsync(DeleteStatuses, ct, name).ConfigureAwait(false);
        return true;
    }

    public async ValueTask WriteStatusAsync(QueryStatus status, CancellationToken ct) =>
        await database.RunAsync(InsertStatus, ct, status.Name, status.Node, JsonSerializer.Serialize(status))
            .ConfigureAwait(false);

    public async ValueTask<QueryStatus?> StatusAsync(string name, CancellationToken ct) =>
        QueryStatus.Together(await database.ListAsync(SelectStatuses,
            row => JsonSerializer.Deserialize<QueryStatus>(row.Get<string>(0))!, ct, name).ConfigureAwait(false));

    private ValueTask<QueryRow?> RowAsync(string name, CancellationToken ct) =>
        database.FirstAsync(Select, Read, ct, name);

    private async ValueTask<QueryConfig> WithStartAsync(QueryRow row, CancellationToken ct)
    {
        var query = row.Config!;
        var start = await database.FirstAsync(SelectStart, r => r.Get<string>(0), ct, query.Name, query.Version)
            .ConfigureAwait(false);
        return start is null ? query : query with { StartOffsets = Offsets(start) };
    }

    private static Dictionary<string, long> Offsets(string text) =>
        JsonSerializer.Deserialize<Dictionary<string, long>>(text)!;

    private static QueryRow Read(Row row)
    {
        var config = row.Get<string?>(3) is { } text ? JsonSerializer.Deserialize<QueryConfig>(text) : null;
        var state = row.Get<int?>(2);
        return new QueryRow(row.Get<int?>(0), row.Get<int?>(1),
            config is null ? null : config with { State = (QueryState)(state ?? 0) });
    }

    /// <param name="Config">Null, as Version, when the query was deleted.</param>
    private sealed record QueryRow(int? Version, int? LastVersion, QueryConfig? Config);
}
