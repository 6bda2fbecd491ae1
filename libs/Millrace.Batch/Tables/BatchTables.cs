using System.Collections.Concurrent;
using System.Text.Json;
using Millrace.Batch.Sql;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.Batch.Tables;

/// <summary>The tables that statements name, each as it stands when its statement begins.</summary>
internal sealed class BatchTables(IObjectStore store, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, DeltaTable> _tables = new();

    public IObjectStore Store => store;

    /// <summary>
    /// Those that the statement reads and that there are; <c>telemetry</c> is there even when nothing is archived.
    /// </summary>
    /// <param name="statement">What the parser made of it.</param>
    public async ValueTask<IReadOnlyList<OpenTable>> NamedInAsync(JsonElement statement, CancellationToken ct)
    {
        var named = StatementTables.Of(statement).Select(BatchTable.Named).OfType<BatchTable>().Distinct();
        var open = new List<OpenTable>();
        foreach (var table in named)
        {
            var delta = _tables.GetOrAdd(table.Root, root => new DeltaTable(store, root, time));
            var snapshot = await delta.RefreshAsync(ct).ConfigureAwait(false);
            if (snapshot is not null || table == BatchTable.Telemetry)
                open.Add(new OpenTable(table, delta, snapshot));
        }

        return open;
    }

    public void Dispose()
    {
        foreach (var table in _tables.Values) table.Dispose();
    }
}

/// <summary>A table at one version, or without any when nothing was ever written.</summary>
internal sealed record OpenTable(BatchTable Table, DeltaTable Delta, DeltaSnapshot? Snapshot)
{
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
