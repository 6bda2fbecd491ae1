namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>What needs a look at every row. Nothing does that on a timer: rows expire by themselves.</summary>
internal sealed partial class CassandraTelemetryStore
{
    private const int ScanRows = 5_000;

    public async ValueTask<long> ExpireAsync(long enqueuedBeforeMs, CancellationToken ct)
    {
        var removed = 0L;
        var batches = new PartitionBatches<TelemetryPartition>(_options.BatchBytes.Bytes);
        var scan = await _database.BindAsync(TelemetryTable.Keys, ct).ConfigureAwait(false);
        scan.PageSize = ScanRows;
        await foreach (var row in _database.ReadAsync(scan, ct).ConfigureAwait(false))
        {
            if (row.Get<long>(2) >= enqueuedBeforeMs) continue;
            var partition = new TelemetryPartition(row.Get<int>(0), row.Get<long>(1));
            var key = new RowKey(row.Get<string>(3), row.Get<long>(4), row.Get<int>(5), row.Get<long>(6));
            var delete = await _database.BindAsync(TelemetryTable.Delete, ct).ConfigureAwait(false);
            batches.Add(partition, delete.AddKey(partition, key));
            if (++removed % ScanRows == 0) await _writes.ExecuteAsync(batches.Take(), ct).ConfigureAwait(false);
        }

        await _writes.ExecuteAsync(batches.Take(), ct).ConfigureAwait(false);
        return removed;
    }

    public async ValueTask<long> CountAsync(CancellationToken ct)
    {
        var count = 0L;
        var scan = await _database.BindAsync(TelemetryTable.Keys, ct).ConfigureAwait(false);
        scan.PageSize = ScanRows;
        await foreach (var _ in _database.ReadAsync(scan, ct).ConfigureAwait(false)) count++;
        return count;
    }
}
