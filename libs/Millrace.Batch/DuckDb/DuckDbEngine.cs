using Microsoft.Extensions.Options;
using Millrace.Delta;
using Millrace.Hosting;
using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb;

/// <summary>
/// SQL within this process. Each statement has a database of its own with the view over the table as it stands when the
/// statement begins, so none can harm another.
/// </summary>
internal sealed class DuckDbEngine : IBatchEngine, IDisposable
{
    private const string ResultFile = "result.parquet";

    /// <summary>No statement runs so long: a folder that old was left over by a crash.</summary>
    private static readonly TimeSpan TempFolderAge = TimeSpan.FromDays(2);

    private readonly IObjectStore _store;
    private readonly DuckDbOptions _options;
    private readonly BatchMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly DeltaTable _table;
    private readonly SemaphoreSlim _turns;
    private readonly string _tempRoot;

    public DuckDbEngine(
        IObjectStore store, DataFolder folder, IOptions<DuckDbOptions> options, BatchMetrics metrics,
        TimeProvider time)
    {
        _store = store;
        _options = options.Value;
        _metrics = metrics;
        _time = time;
        _table = new DeltaTable(store, TelemetryTable.Root, time);
        _turns = new SemaphoreSlim(_options.ConcurrentQueriesMax);
        _tempRoot = Path.GetFullPath(_options.TempFolder ?? Path.Combine(folder.Path, "tmp", "batch"));
        RemoveLeftovers();
    }

    public async ValueTask<IBatchResult> QueryAsync(BatchQuery query, CancellationToken ct = default)
    {
        var turn = await TakeTurnAsync(query, ct).ConfigureAwait(false);
        try
        {
            var session = await OpenAsync(turn, query).ConfigureAwait(false);
            return await turn.RunAsync(() => DuckDbResult.Start(session, turn, query)).ConfigureAwait(false);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    public async ValueTask<BatchWritten> WriteParquetAsync(
        BatchQuery query, string keyPrefix, CancellationToken ct = default)
    {
        var key = ObjectKey.Check($"{keyPrefix}/part-00000.parquet");
        using var turn = await TakeTurnAsync(query, ct).ConfigureAwait(false);
        var session = await OpenAsync(turn, query).ConfigureAwait(false);
        var path = Path.Combine(session.TempFolder, ResultFile);
        var limit = query.RowsMax > 0 ? $" LIMIT {query.RowsMax}" : "";

        // The text was parsed as one SELECT, so it ends where the engine says and not in what we put around it.
        var sql = $"COPY (SELECT * FROM (\n{query.Sql.TrimEnd().TrimEnd(';')}\n){limit}) "
            + $"TO {TelemetryView.Literal(path)} (FORMAT parquet, COMPRESSION zstd)";
        var rows = await turn.RunAsync(() =>
        {
            using var command = session.Command(sql, query.Parameters);
            command.UseStreamingMode = false;
            using var interrupt = turn.Token.Register(command.Cancel);
            return command.ExecuteNonQuery();
        }).ConfigureAwait(false);

        await using var file = File.OpenRead(path);
        await _store.PutAsync(key, file, turn.Token).ConfigureAwait(false);
        return new BatchWritten(rows, [key], file.Length);
    }

    public void Dispose()
    {
        _table.Dispose();
        _turns.Dispose();
    }

    private async ValueTask<BatchTurn> TakeTurnAsync(BatchQuery query, CancellationToken ct)
    {
        var turn = new BatchTurn(_turns, query.Sql, _options.QueryTimeout, _metrics, _time, ct);
        try
        {
            await turn.BeginAsync().ConfigureAwait(false);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>A session with the view in it, over the files that the statement may need.</summary>
    private async ValueTask<DuckDbSession> OpenAsync(BatchTurn turn, BatchQuery query)
    {
        var archive = Path.GetDirectoryName(_store.LocalPath(TelemetryTable.Root))
            ?? throw new NotSupportedException("DuckDB reads local files, and this object store has none.");
        var snapshot = await _table.RefreshAsync(turn.Token).ConfigureAwait(false);
        return await turn.RunAsync(() =>
        {
            var session = DuckDbSession.Open(_options, _tempRoot, archive);
            turn.Own(session);
            using var tree = session.Parse(query.Sql);
            var schema = snapshot?.Schema ?? TelemetryTable.BaseSchema;
            var ranges = StatementRanges.Of(tree.RootElement, schema, query.Parameters);
            var files = snapshot?.FilesWithin(ranges) ?? [];
            _metrics.Pruned(files.Count, (snapshot?.Files.Count ?? 0) - files.Count);
            session.Execute(TelemetryView.CreateSql(schema, files, f => TelemetryView.PathOf(_store, _table, f)));
            session.Lock();
            return session;
        }).ConfigureAwait(false);
    }

    private void RemoveLeftovers()
    {
        if (!Directory.Exists(_tempRoot)) return;
        var oldest = (_time.GetUtcNow() - TempFolderAge).UtcDateTime;
        foreach (var folder in new DirectoryInfo(_tempRoot).EnumerateDirectories())
        {
            if (folder.LastWriteTimeUtc < oldest) folder.Delete(recursive: true);
        }
    }
}
