using Microsoft.Extensions.Options;
using Millrace.Batch.Sql;
using Millrace.Batch.SparkConnect.Protocol;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.ObjectStore;
using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// SQL on a Spark cluster. What is one statement that only reads is said by the same parser as for DuckDB, and so is
/// which files it needs.
/// </summary>
internal sealed class SparkEngine : IBatchEngine, IAsyncDisposable
{
    private readonly IObjectStore _store;
    private readonly BatchTables _tables;
    private readonly BatchTurns _turns;
    private readonly SqlParser _parser = new();
    private readonly SparkSessions _sessions;
    private readonly SparkTables _addresses;

    public SparkEngine(
        IObjectStore store, SparkClient client, IOptions<BatchOptions> options, IOptions<DeltaTableOptions> delta,
        BatchMetrics metrics, TimeProvider time)
    {
        _store = store;
        _tables = new BatchTables(store, delta.Value, metrics, time);
        _turns = new BatchTurns(options.Value, metrics, time, e => e is Grpc.Core.RpcException);
        _sessions = new SparkSessions(client);
        _addresses = new SparkTables(store, client.Options);
    }

    public async ValueTask<IBatchResult> QueryAsync(BatchQuery query, CancellationToken ct = default)
    {
        var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        try
        {
            var plan = await PlanAsync(turn, query).ConfigureAwait(false);
            var (session, result) = await InSessionAsync(turn, session =>
                session.QueryAsync(plan, query.Sql, turn.Token, query.Progress)).ConfigureAwait(false);
            turn.Own(new Rented(_sessions, session));
            return new TurnResult(turn, result, query.RowsMax);
        }
        catch
        {
            await turn.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<BatchWritten> WriteParquetAsync(
        BatchQuery query, BatchOutput output, CancellationToken ct = default)
    {
        var prefix = ObjectKey.Check(output.KeyPrefix);
        await using var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        var plan = await PlanAsync(turn, query).ConfigureAwait(false);
        var write = new SparkWrite(SparkWriteMode.ErrorIfExists, output.PartitionBy);
        var (session, _) = await InSessionAsync(turn, async session =>
        {
            await session.WriteFilesAsync(plan, _addresses.AddressOf(prefix), write, query.Sql, turn.Token,
                query.Progress).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        turn.Own(new Rented(_sessions, session));
        return await WrittenAsync(turn, session, prefix).ConfigureAwait(false);
    }

    public async ValueTask<string> ExplainAsync(BatchQuery query, CancellationToken ct = default)
    {
        await using var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        var plan = await PlanAsync(turn, query).ConfigureAwait(false);
        var (session, text) = await InSessionAsync(turn, session =>
            session.ExplainAsync(plan, query.Sql, turn.Token)).ConfigureAwait(false);
        turn.Own(new Rented(_sessions, session));
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        await _sessions.DisposeAsync().ConfigureAwait(false);
        _tables.Dispose();
        _turns.Dispose();
        _parser.Dispose();
    }

    /// <summary>The statement with the tables that it names.</summary>
    private Task<Relation> PlanAsync(BatchTurn turn, BatchQuery query) => turn.AwaitAsync(async () =>
    {
        using var tree = _parser.Parse(query.Sql);
        var named = new Dictionary<string, Relation>();
        foreach (var (table, files, _) in await _tables.NeededByAsync(tree.RootElement, query, turn.Token)
            .ConfigureAwait(false)) named.Add(table.Name, _addresses.RelationOf(table, files));

        var root = query.Plan is { } plan
            ? new FrameRelations(named).Of(plan)
            : SparkRelations.With(SparkRelations.Select(query.Sql, query.Parameters), named);
        return query.IsSchemaOnly ? SparkRelations.None(root) : SparkRelations.Limit(root, query.RowsMax);
    });

    /// <summary>Runs it in a free session; in a new one when the server knows that one no more.</summary>
    private async Task<(SparkSession Session, T Result)> InSessionAsync<T>(
        BatchTurn turn, Func<SparkSession, Task<T>> run)
    {
        for (var isLast = false; ; isLast = true)
        {
            var session = await turn.AwaitAsync(() => isLast
                ? _sessions.OpenAsync(turn.Token)
                : _sessions.RentAsync(turn.Token)).ConfigureAwait(false);
            try
            {
                return (session, await turn.AwaitAsync(() => run(session)).ConfigureAwait(false));
            }
            catch (MillraceException e) when (SparkFailures.IsSessionLost(e) && !isLast)
            {
                // It is not returned, and a server that was started again knows none of the others.
                await _sessions.DropAsync().ConfigureAwait(false);
            }
            catch
            {
                _sessions.Return(session);
                throw;
            }
        }
    }

    private async ValueTask<BatchWritten> WrittenAsync(BatchTurn turn, SparkSession session, string prefix)
    {
        var keys = new List<string>();
        var bytes = 0L;
        await foreach (var found in _store.ListAsync($"{prefix}/", ct: turn.Token).ConfigureAwait(false))
        {
            keys.Add(found.Key);
            bytes += found.Bytes;
        }

        if (keys.Count == 0) return new BatchWritten(0, keys, 0);
        var count = SparkRelations.Count(SparkRelations.Parquet(keys.Select(_addresses.AddressOf)));
        var rows = await turn.AwaitAsync(async () =>
        {
            await using var result = await session.QueryAsync(count, prefix, turn.Token).ConfigureAwait(false);
            await foreach (var batch in result.ReadAsync(turn.Token).ConfigureAwait(false))
                return ((Apache.Arrow.Int64Array)batch.Column(0)).GetValue(0) ?? 0;
            return 0;
        }).ConfigureAwait(false);
        return new BatchWritten(rows, keys, bytes);
    }

    /// <summary>Gives the session back when the statement has ended.</summary>
    private sealed class Rented(SparkSessions sessions, SparkSession session) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            sessions.Return(session);
            return ValueTask.CompletedTask;
        }
    }
}
