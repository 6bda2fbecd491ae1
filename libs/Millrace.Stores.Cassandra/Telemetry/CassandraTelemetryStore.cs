using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Upgrades;
using Millrace.Stores.Telemetry;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Telemetry in partitions of a shard and a span of event time. There is no transaction over rows, latest values and
/// position; so they are acknowledged in that order, and each write is the same however often it is done.
/// </summary>
internal sealed partial class CassandraTelemetryStore : ITelemetryStore
{
    private readonly CassandraDatabase _database;
    private readonly CassandraTelemetryOptions _options;
    private readonly StoreOptions _stores;
    private readonly TimeProvider _time;
    private readonly TelemetryLayoutLog _layouts;
    private readonly TelemetryDays _days;
    private readonly LatestValues _latest;
    private readonly BoundedWrites _writes;
    private readonly SinkPositions _sinks;
    private readonly PartitionSizes _sizes;
    private readonly ConcurrentDictionary<TopicPartition, long> _positions = new();

    public CassandraTelemetryStore(
        CassandraDatabase database, CassandraTelemetryOptions options, StoreOptions stores, IUpgradeStore upgrades,
        TimeProvider time, ILogger<CassandraTelemetryStore> log)
    {
        (_database, _options, _stores, _time) = (database, options, stores, time);
        _layouts = new TelemetryLayoutLog(database, options, time, log);
        _days = new TelemetryDays(database, (int)stores.TelemetryRetention.TotalSeconds, time);
        _latest = new LatestValues(database, new FinalisedStep(upgrades, TelemetrySchema.Generations, time));
        _writes = new BoundedWrites(database.RunAsync, options.WritesInFlightMax);
        _sinks = new SinkPositions(database, "telemetry");
        _sizes = new PartitionSizes(CassandraTelemetryOptions.PartitionBytesMax, log);
    }

    public bool ExpiresByItself => true;

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, SinkPosition position, CancellationToken ct)
    {
        Refuse(rows);
        if (rows.Count > 0)
        {
            var layouts = await _layouts.CurrentAsync(ct).ConfigureAwait(false);
            var fresh = await FreshAsync(partition, rows, layouts, ct).ConfigureAwait(false);
            await WriteRowsAsync(fresh, layouts, ct).ConfigureAwait(false);
            await _writes.ExecuteAsync(await _latest.BindAsync(rows, _options.BatchBytes.Bytes, ct)
                .ConfigureAwait(false), ct).ConfigureAwait(false);
        }

        await _sinks.SaveAsync(partition, position, ct).ConfigureAwait(false);
        _positions.AddOrUpdate(partition, position.NextOffset, (_, was) => Math.Max(was, position.NextOffset));
    }

    public async ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct)
    {
        var position = await _sinks.FindAsync(partition, ct).ConfigureAwait(false);
        if (position is not null) _positions[partition] = position.NextOffset;
        return position;
    }

    private void Refuse(IReadOnlyList<TelemetryMessage> rows)
    {
        foreach (var row in rows)
        {
            if (row.Body.Length <= _stores.RowBytesMax.Bytes) continue;
            StoreMetrics.Refused.Add(1, new KeyValuePair<string, object?>("reason", "too-large"));
            var detail = $"Its body has {row.Body.Length} bytes; at most {_stores.RowBytesMax} are taken.";
            throw StoreErrors.RowRefused.With($"{row.DeviceId}, offset {row.Offset}", detail).AsException();
        }
    }

    /// <summary>
    /// All but those that are there. A row before the position was written already, or is a dead letter that is
    /// replayed; it is looked for, and stays as it is when it is found.
    /// </summary>
    private async ValueTask<IReadOnlyList<TelemetryMessage>> FreshAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, TelemetryLayouts layouts, CancellationToken ct)
    {
        if (!_positions.TryGetValue(partition, out var stored))
            stored = (await PositionAsync(partition, ct).ConfigureAwait(false))?.NextOffset ?? 0;
        if (rows.All(row => row.Offset >= stored)) return rows;
        var fresh = new List<TelemetryMessage>();
        foreach (var row in rows)
        {
            if (row.Offset >= stored || !await IsThereAsync(row, layouts, ct).ConfigureAwait(false)) fresh.Add(row);
        }

        return fresh;
    }

    private async ValueTask<bool> IsThereAsync(TelemetryMessage row, TelemetryLayouts layouts, CancellationToken ct)
    {
        var find = await _database.BindAsync(TelemetryTable.Find, ct).ConfigureAwait(false);
        find.AddKey(layouts.PartitionOf(row.DeviceId, row.EventAtMs), RowKey.Of(row));
        return (await _database.RunAsync(find, ct).ConfigureAwait(false)).Count > 0;
    }

    private async Task WriteRowsAsync(
        IReadOnlyList<TelemetryMessage> rows, TelemetryLayouts layouts, CancellationToken ct)
    {
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var batches = new PartitionBatches<TelemetryPartition>(_options.BatchBytes.Bytes);
        var days = new HashSet<(string Device, long Day)>();
        var expired = 0;
        foreach (var row in rows)
        {
            if (!Expiry.TryTtl(row.EnqueuedAtMs, nowMs, _stores.TelemetryRetention, _database.ExpiryEnd,
                out var ttl))
            {
                expired++;
                continue;
            }

            var partition = layouts.PartitionOf(row.DeviceId, row.EventAtMs);
            var insert = await _database.BindAsync(TelemetryTable.Insert, ct).ConfigureAwait(false);
            insert.AddRow(partition, row, ttl);
            batches.Add(partition, insert);
            _sizes.Add(partition, row);
            days.Add((row.DeviceId, TelemetryDays.DayOf(row.EventAtMs)));
        }

        var newDays = await _days.NewAsync(days, _options.BatchBytes.Bytes, ct).ConfigureAwait(false);
        await _writes.ExecuteAsync([.. batches.Take(), .. newDays], ct).ConfigureAwait(false);
        _days.Stored(days);
        if (expired > 0) StoreMetrics.Expired.Add(expired, new KeyValuePair<string, object?>("kind", "telemetry"));
    }
}
