using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
using Millrace.Batch.DuckDb.Cache;
using Millrace.Batch.Sql;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Hosting;
using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb;

/// <summary>
/// SQL within this process. Each statement has a database of its own with views over the tables as they stand when the
/// statement begins, so none can harm another.
/// </summary>
internal sealed class DuckDbEngine : IBatchEngine, IDisposable
{
    private const string ResultFolder = "result";

    /// <summary>No statement runs so long: a folder that old was left over by a crash.</summary>
    private static readonly TimeSpan TempFolderAge = TimeSpan.FromDays(2);

    private readonly IObjectStore _store;
    private readonly BatchOptions _options;
    private readonly TimeProvider _time;
    private readonly BatchTables _tables;
    private readonly BatchTurns _turns;
    private readonly SqlParser _parser = new();
    private readonly string _tempRoot;

    /// <summary>Where the store keeps no local files.</summary>
    private readonly SparseCache? _cache;

    public DuckDbEngine(
        IObjectStore store, DataFolder folder, IOptions<BatchOptions> options, IOptions<DeltaTableOptions> delta,
        BatchMetrics metrics, TimeProvider time)
    {
        _store = store;
        _options = options.Value;
        _time = time;
        _tables = new BatchTables(store, delta.Value, metrics, time);
        _turns = new BatchTurns(_options, metrics, time, e => e is DuckDBException or InvalidOperationException);
        if (store.LocalPath(BatchTable.Telemetry.Root) is null)
        {
            var cache = Path.GetFullPath(_options.CacheFolder ?? Path.Combine(folder.Path, "tmp", "batch-cache"));
            _cache = new SparseCache(store, cache, _options.CacheMax.Bytes, _options.FootersMax.Bytes, metrics);
        }

        _tempRoot = Path.GetFullPath(_options.TempFolder ?? Path.Combine(folder.Path, "tmp", "batch"));
        RemoveLeftovers();
    }

    public async ValueTask<IBatchResult> QueryAsync(BatchQuery query, CancellationToken ct = default)
    {
        var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        try
        {
            if (query.IsSchemaOnly)
            {
                // The text is one SELECT, so it ends where the engine says and not in what we put around it.
                using (await turn.RunAsync(() => _parser.Parse(query.Sql)).ConfigureAwait(false))
                    query = query with { Sql = $"SELECT * FROM (\n{SqlTokens.WithoutEnd(query.Sql)}\n) LIMIT 0" };
            }

            var session = await OpenAsync(turn, query).ConfigureAwait(false);
            return await turn.RunAsync(() => DuckDbResult.Start(session, turn, query)).ConfigureAwait(false);
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
        ObjectKey.Check(output.KeyPrefix);
        await using var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        var session = await OpenAsync(turn, query).ConfigureAwait(false);
        var folder = Directory.CreateDirectory(Path.Combine(session.TempFolder, ResultFolder)).FullName;
        var limit = query.RowsMax > 0 ? $" LIMIT {query.RowsMax}" : "";
        var partitions = output.PartitionBy.Count == 0
            ? ""
            : $", PARTITION_BY ({string.Join(", ", output.PartitionBy.Select(TableViews.Quoted))})";
        var target = output.PartitionBy.Count == 0 ? Path.Combine(folder, "part-00000.parquet") : folder;

        // The text was parsed as one SELECT, so it ends where the engine says and not in what we put around it.
        var sql = $"COPY (SELECT * FROM (\n{SqlTokens.WithoutEnd(query.Sql)}\n){limit}) "
            + $"TO {TableViews.Literal(target)} (FORMAT parquet, COMPRESSION zstd{partitions})";
        var rows = await turn.RunAsync(() =>
        {
            using var command = session.Command(sql, query.Parameters);
            command.UseStreamingMode = false;
            using var interrupt = turn.Token.Register(command.Cancel);
            return command.ExecuteNonQuery();
        }).ConfigureAwait(false);
        return await KeepAsync(folder, output.KeyPrefix, rows, turn.Token).ConfigureAwait(false);
    }

    public async ValueTask<string> ExplainAsync(BatchQuery query, CancellationToken ct = default)
    {
        await using var turn = await _turns.TakeAsync(query.Sql, ct).ConfigureAwait(false);
        var session = await OpenAsync(turn, query).ConfigureAwait(false);
        return await turn.RunAsync(() => session.Explain(query)).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _tables.Dispose();
        _turns.Dispose();
        _parser.Dispose();
    }

    /// <summary>A session with views of the tables that the statement names, over the files that it may need.</summary>
    private async ValueTask<DuckDbSession> OpenAsync(BatchTurn turn, BatchQuery query)
    {
        using var tree = await turn.RunAsync(() => _parser.Parse(query.Sql)).ConfigureAwait(false);
        var needed = await turn.AwaitAsync(() => _tables.NeededByAsync(tree.RootElement, query, turn.Token).AsTask())
            .ConfigureAwait(false);
        var readable = _cache?.Folder ?? Path.GetDirectoryName(_store.LocalPath(BatchTable.Telemetry.Root))!;
        var session = await turn.RunAsync(() => DuckDbSession.Open(_options, _tempRoot, readable))
            .ConfigureAwait(false);
        turn.Own(session);
        if (_cache is null)
        {
            await turn.RunAsync(() => View(session, needed, key => [_store.LocalPath(key)!])).ConfigureAwait(false);
        }
        else
        {
            var lease = _cache.Lease();
            turn.Own(lease);
            await turn.AwaitAsync(() => FetchAsync(turn, session, needed, lease, query)).ConfigureAwait(false);
        }

        return await turn.RunAsync(() =>
        {
            session.Lock();
            return session;
        }).ConfigureAwait(false);
    }

    private static bool View(
        DuckDbSession session, IReadOnlyList<NeededFiles> tables, Func<string, IReadOnlyList<string>> pathsOf)
    {
        foreach (var (table, files, _) in tables)
        {
            var sources = files.Select(file => new FileSource(file, pathsOf(table.KeyOf(file))))
                .Where(source => source.Paths.Count > 0).ToList();
            var columns = session.ColumnsOf(
                [.. sources.Where(source => !source.HasColumns).Select(source => source.Paths[0])]);
            session.Execute(TableViews.CreateSql(table, sources, columns));
        }

        return true;
    }

    /// <summary>
    /// Makes the views over cached files: footers first, which say what row groups the statement can do without, and
    /// then the columns that the plan reads.
    /// </summary>
    private static async Task<bool> FetchAsync(
        BatchTurn turn, DuckDbSession session, IReadOnlyList<NeededFiles> tables, SparseLease lease, BatchQuery query)
    {
        foreach (var (table, files, ranges) in tables)
        {
            await lease.AddAsync([.. files.Select(file => (table.KeyOf(file), file.Bytes))], ranges, turn.Token)
                .ConfigureAwait(false);
        }

        await turn.RunAsync(() => View(session, tables, lease.PathsOf)).ConfigureAwait(false);
        if (lease.IsEmpty) return true;
        var isNeeded = await turn.RunAsync(() => NeededColumns.Of(session, query)).ConfigureAwait(false);
        await lease.FetchAsync(isNeeded, turn.Token).ConfigureAwait(false);
        return true;
    }

    /// <summary>Puts what was written into the folder below the prefix.</summary>
    private async ValueTask<BatchWritten> KeepAsync(string folder, string prefix, long rows, CancellationToken ct)
    {
        var keys = new List<string>();
        var bytes = 0L;
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal))
        {
            var key = ObjectKey.Check($"{prefix}/{Path.GetRelativePath(folder, path)}");
            await using var file = File.OpenRead(path);
            await _store.PutAsync(key, file, ct).ConfigureAwait(false);
            keys.Add(key);
            bytes += file.Length;
        }

        return new BatchWritten(rows, keys, bytes);
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
