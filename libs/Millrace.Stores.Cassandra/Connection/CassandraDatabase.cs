using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// The hub's keyspace as the stores use it. Requests wait until the cluster answers for the first time; after that a
/// cluster that is away fails them with ST-0001, and the client goes on reconnecting.
/// </summary>
internal sealed class CassandraDatabase(CassandraConnector connector)
{
    private static readonly StoreStatement SelectNow = new("SELECT toTimestamp(now()) FROM system.local");

    private readonly ConcurrentDictionary<StoreStatement, PreparedStatement> _prepared = new();

    public string Keyspace => connector.Keyspace;

    /// <summary>When the latest row may expire, in seconds since 1970.</summary>
    public long ExpiryEnd => connector.ExpiryEnd;

    /// <summary>A statement to which values are added in the order of the markers.</summary>
    public ValueTask<BoundStatement> BindAsync(StoreStatement statement, CancellationToken ct) =>
        _prepared.TryGetValue(statement, out var prepared) && !prepared.IsOutdated
            ? new ValueTask<BoundStatement>(prepared.Bind())
            : new ValueTask<BoundStatement>(PrepareAsync(statement, ct));

    public async ValueTask<BoundStatement> BindAsync(
        StoreStatement statement, CancellationToken ct, params object?[] values)
    {
        var bound = await BindAsync(statement, ct).ConfigureAwait(false);
        foreach (var value in values) bound.Add(value);
        return bound;
    }

    public async ValueTask<RowSet> RunAsync(CqlStatement statement, CancellationToken ct)
    {
        var session = await connector.SessionAsync(ct).ConfigureAwait(false);
        try
        {
            return await session.ExecuteAsync(statement, ct).ConfigureAwait(false);
        }
        catch (CqlException e)
        {
            throw e.Told(Keyspace, statement);
        }
    }

    /// <summary>The first page of rows, or whether a compare-and-set was applied.</summary>
    public async ValueTask<RowSet> RunAsync(StoreStatement statement, CancellationToken ct, params object?[] values) =>
        await RunAsync(await BindAsync(statement, ct, values).ConfigureAwait(false), ct).ConfigureAwait(false);

    /// <summary>What is read from all rows, page by page.</summary>
    /// <param name="key">What is known of their key, by which one that is damaged is named.</param>
    public async IAsyncEnumerable<T> ReadAsync<T>(
        BoundStatement statement, Func<Row, T> read, [EnumeratorCancellation] CancellationToken ct,
        params object?[] key)
    {
        var session = await connector.SessionAsync(ct).ConfigureAwait(false);
        var markers = statement.Markers;
        var rows = session.QueryAsync(statement, ct).GetAsyncEnumerator(ct);
        await using (rows.ConfigureAwait(false))
        {
            while (await MoveAsync(rows, statement).ConfigureAwait(false))
                yield return rows.Current.Read(read, markers, key);
        }
    }

    public async ValueTask<List<T>> ListAsync<T>(
        StoreStatement statement, Func<Row, T> read, CancellationToken ct, params object?[] values)
    {
        var list = new List<T>();
        var bound = await BindAsync(statement, ct, values).ConfigureAwait(false);
        await foreach (var item in ReadAsync(bound, read, ct, values).ConfigureAwait(false)) list.Add(item);
        return list;
    }

    /// <summary>What is read from the first row, or the default when there is none.</summary>
    public async ValueTask<T?> FirstAsync<T>(
        StoreStatement statement, Func<Row, T> read, CancellationToken ct, params object?[] values)
    {
        var bound = await BindAsync(statement, ct, values).ConfigureAwait(false);
        var markers = bound.Markers;
        var rows = await RunAsync(bound, ct).ConfigureAwait(false);
        return rows.Count == 0 ? default : rows[0].Read(read, markers, values);
    }

    /// <summary>The clock of one of the nodes.</summary>
    public ValueTask<long> NowMsAsync(CancellationToken ct) =>
        FirstAsync(SelectNow, row => row.Get<long>(0), ct);

    private async ValueTask<bool> MoveAsync(IAsyncEnumerator<Row> rows, CqlStatement statement)
    {
        try
        {
            return await rows.MoveNextAsync().ConfigureAwait(false);
        }
        catch (CqlException e)
        {
            throw e.Told(Keyspace, statement);
        }
    }

    private async Task<BoundStatement> PrepareAsync(StoreStatement statement, CancellationToken ct)
    {
        var session = await connector.SessionAsync(ct).ConfigureAwait(false);
        try
        {
            var prepared = await session.PrepareAsync(statement.Text, ct).ConfigureAwait(false);
            prepared.Idempotent = statement.Idempotent;
            return (_prepared[statement] = prepared).Bind();
        }
        catch (CqlException e)
        {
            throw e.Told(Keyspace);
        }
    }
}
