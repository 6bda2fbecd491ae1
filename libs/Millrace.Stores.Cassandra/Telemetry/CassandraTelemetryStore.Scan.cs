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
        var keys = _database.ReadAsync(scan, row => (
            Partition: new TelemetryPartition(row.Get<int>(0), row.Get<long>(1)), EnqueuedAtMs: row.Get<long>(2),
            Key: new RowKey(row.Get<string>(3), row.Get<long>(4), row.Get<int>(5), row.Get<long>(6))), ct);
        await foreach (var (partition, enqueuedAtMs, key) in keys.ConfigureAwait(false))
        {
            if (enqueuedAtMs >= enqueuedBeforeMs) continue;
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
        await foreach (var _ in _database.ReadAsync(scan, _ => true, ct).ConfigureAwait(false)) count++;
        return count;
    }
}
