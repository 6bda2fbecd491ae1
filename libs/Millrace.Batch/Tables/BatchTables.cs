using System.Collections.Concurrent;
using System.Text.Json;
using Millrace.Batch.Sql;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.Batch.Tables;

/// <summary>
/// The tables that statements name, each as it stands when its statement begins, or as it was when that is asked for.
/// </summary>
internal sealed class BatchTables(
    IObjectStore store, DeltaTableOptions options, BatchMetrics metrics, TimeProvider time) : IDisposable
{
    private const int LooksAtOnce = 8;

    private readonly ConcurrentDictionary<string, DeltaTable> _tables = new();

    /// <summary>
    /// Of the tables that the statement names and that there are, the files that it may need; <c>telemetry</c> is there
    /// even when nothing is archived. DL-0006, DL-0007 or BA-0012 when a version that is asked for cannot be read.
    /// </summary>
    /// <param name="statement">What the parser made of it.</param>
    public async ValueTask<IReadOnlyList<NeededFiles>> NeededByAsync(
        JsonElement statement, BatchQuery query, CancellationToken ct)
    {
        var needed = new List<NeededFiles>();
        foreach (var table in await OpenAsync(statement, query, ct).ConfigureAwait(false))
        {
            var ranges = StatementRanges.Of(statement, table.Name, table.Schema, query.Parameters);
            var files = table.FilesWithin(ranges);
            metrics.Pruned(files.Count, table.FileCount - files.Count);
            if (table.Newest is not null) await LookForAsync(table, files, ct).ConfigureAwait(false);
            needed.Add(new NeededFiles(table, files, ranges));
        }

        return needed;
    }

    public void Dispose()
    {
        foreach (var table in _tables.Values) table.Dispose();
    }

    private async ValueTask<List<OpenTable>> OpenAsync(JsonElement statement, BatchQuery query, CancellationToken ct)
    {
        var named = StatementTables.Of(statement).Select(BatchTable.Named).OfType<BatchTable>().Distinct();
        var open = new List<OpenTable>();
        foreach (var table in named)
        {
            var delta = _tables.GetOrAdd(table.Root, root => new DeltaTable(store, root, time, options));
            var snapshot = await delta.RefreshAsync(ct).ConfigureAwait(false);
            if (snapshot is not null || table == BatchTable.Telemetry)
                open.Add(new OpenTable(table, delta, snapshot));
        }

        if (query.AsOf is not { } asOf) return open;
        if (asOf.Version is not null && open.Count != 1)
        {
            throw BatchErrors.VersionOfOneTable
                .With(asOf.Version, $"It reads {open.Count}: {string.Join(", ", open.Select(table => table.Name))}.")
                .AsException();
        }

        for (var i = 0; i < open.Count; i++) open[i] = await ThenAsync(open[i], asOf, ct).ConfigureAwait(false);
        return open;
    }

    private static async ValueTask<OpenTable> ThenAsync(OpenTable table, BatchAsOf asOf, CancellationToken ct)
    {
        var then = asOf.Version is { } version
            ? await table.Delta.AtVersionAsync(version, ct).ConfigureAwait(false)
            : await table.Delta.AtTimeAsync(asOf.At!.Value, ct).ConfigureAwait(false);
        return table with { Snapshot = then, Newest = table.Snapshot };
    }

    /// <summary>Files that are part of the table no more may have been deleted.</summary>
    private async ValueTask LookForAsync(OpenTable table, IReadOnlyList<AddFile> files, CancellationToken ct)
    {
        var removed = files.Where(file => !table.Newest!.Files.ContainsKey(file.Path)).Select(table.KeyOf);
        var options = new ParallelOptions { MaxDegreeOfParallelism = LooksAtOnce, CancellationToken = ct };
        await Parallel.ForEachAsync(removed, options, async (key, ct) =>
        {
            if (await store.FindAsync(key, ct).ConfigureAwait(false) is null)
                throw DeltaErrors.FileVacuumed.With($"{table.Delta.Root} {table.Snapshot!.Version}", key).AsException();
        }).ConfigureAwait(false);
    }
}

/// <summary>A table at one version, or without any when nothing was ever written.</summary>
internal sealed record OpenTable(BatchTable Table, DeltaTable Delta, DeltaSnapshot? Snapshot)
{
    /// <summary>The newest version, where an older one is read.</summary>
    public DeltaSnapshot? Newest { get; init; }

    public string Name => Table.Name;

    public bool IsTelemetry => Table == BatchTable.Telemetry;

    public DeltaSchema Schema => Snapshot?.Schema ?? TelemetryTable.BaseSchema;

    public IReadOnlyList<string> PartitionColumns =>
        Snapshot?.Metadata.PartitionColumns ?? TelemetryTable.PartitionColumns;

    public int FileCount => Snapshot?.Files.Count ?? 0;

    /// <summary>Promoted columns come before the partition's, which nobody looks for first.</summary>
    public IEnumerable<DeltaColumn> Columns => Schema.Columns.OrderBy(IsPartition);

    public bool IsPartition(DeltaColumn column) => PartitionColumns.Contains(column.Name);

    public IReadOnlyList<AddFile> FilesWithin(IReadOnlyList<ColumnRange> ranges) =>
        Snapshot?.FilesWithin(ranges) ?? [];

    public string KeyOf(AddFile file) => Delta.KeyOf(file);
}
