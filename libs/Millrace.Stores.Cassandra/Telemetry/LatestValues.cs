using System.Buffers;
using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Upgrades;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Each device's latest value, one cell whose timestamp is the event time and whose bytes begin with the offset: of two
/// writes, in whatever order they come, Cassandra keeps the one with the highest (event_at, offset). Beside it stands
/// the end of a device that was deleted; a value that is from before it is none. A device that is made anew has a cell
/// of its own, for its event times may be before its predecessor's. The version before knows of one cell for all, which
/// is written as long as that may be at work, and is read for good.
/// </summary>
/// <param name="generations">The step that each generation's cell came with.</param>
internal sealed class LatestValues(CassandraDatabase database, FinalisedStep generations)
{
    private const int ShardsFixed = 1_024;

    private static readonly StoreStatement SetShared = new(
        "UPDATE telemetry_latest USING TIMESTAMP ? SET value = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement Set = new(
        "UPDATE telemetry_latest USING TIMESTAMP ? SET by_generation[?] = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement Select = new(
        "SELECT value, by_generation, ended FROM telemetry_latest WHERE shard = ? AND device = ?");

    private static readonly StoreStatement End = new(
        "UPDATE telemetry_latest USING TIMESTAMP ? SET ended = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement DeleteShared = new(
        "DELETE value FROM telemetry_latest USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement Delete = new(
        "DELETE by_generation[?] FROM telemetry_latest USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    /// <summary>The writes for the latest of these rows of each device.</summary>
    public async ValueTask<IReadOnlyList<CqlStatement>> BindAsync(
        IReadOnlyList<TelemetryMessage> rows, long batchBytes, CancellationToken ct)
    {
        var isShared = !await generations.IsFinalisedAsync(ct).ConfigureAwait(false);
        var batches = new PartitionBatches<int>(batchBytes);
        var value = new ArrayBufferWriter<byte>();
        foreach (var ((device, generation), row) in LatestOf(rows))
        {
            var shard = TelemetryLayout.ShardOf(device, ShardsFixed);
            LatestCodec.Write(row, value);
            var set = await database.BindAsync(isShared ? SetShared : Set, ct).ConfigureAwait(false);
            set.Add(TelemetryTable.MicrosecondsOf(row.EventAtMs));
            if (!isShared) set.Add(generation);
            batches.Add(shard, set.Add(value.WrittenSpan).Add(shard).Add(device));
        }

        return batches.Take();
    }

    public ValueTask<TelemetryMessage?> FindAsync(string device, CancellationToken ct) =>
        database.FirstAsync(Select, row =>
        {
            var end = DeviceEndCodec.Read(device, row, 2);
            return Read(device, row).Select(cell => cell.Value).Where(value => !IsOf(end, value))
                .MaxBy(value => (value.EventAtMs, value.Offset));
        }, ct, TelemetryLayout.ShardOf(device, ShardsFixed), device);

    /// <summary>
    /// First the end is written: from then on no value of the device counts, whenever one comes. What is there is
    /// deleted as of its own time, so that it takes no room and no later value goes with it.
    /// </summary>
    public async ValueTask ForgetAsync(DeviceEnd end, CancellationToken ct)
    {
        var (device, shard) = (end.DeviceId, TelemetryLayout.ShardOf(end.DeviceId, ShardsFixed));
        await database.RunAsync(
            End, ct, TelemetryTable.MicrosecondsOf(end.AtMs), DeviceEndCodec.Write(end), shard, device)
            .ConfigureAwait(false);
        var cells = await database.FirstAsync(Select, row => Read(device, row), ct, shard, device)
            .ConfigureAwait(false);
        foreach (var (generation, value) in cells ?? [])
        {
            if (!IsOf(end, value)) continue;
            var delete = await database.BindAsync(generation is null ? DeleteShared : Delete, ct).ConfigureAwait(false);
            if (generation is not null) delete.Add(generation);
            delete.Add(TelemetryTable.MicrosecondsOf(value.EventAtMs)).Add(shard).Add(device);
            await database.RunAsync(delete, ct).ConfigureAwait(false);
        }
    }

    /// <summary>What is written of a device; the generation is null for the cell that all have together.</summary>
    private static List<(string? Generation, TelemetryMessage Value)> Read(string device, Row row)
    {
        var cells = new List<(string?, TelemetryMessage)>();
        if (!row.IsNull(0)) cells.Add((null, LatestCodec.Read(device, row.Bytes(0))));
        if (row.IsNull(1)) return cells;
        foreach (var (generation, bytes) in row.Get<Dictionary<string, byte[]>>(1))
            cells.Add((generation, LatestCodec.Read(device, bytes)));
        return cells;
    }

    private static bool IsOf(DeviceEnd? end, TelemetryMessage value) =>
        end?.Covers(value.EnqueuedAtMs, value.GenerationId) == true;

    /// <summary>Of each device and generation, which is empty where the rows name none.</summary>
    private static Dictionary<(string Device, string Generation), TelemetryMessage> LatestOf(
        IReadOnlyList<TelemetryMessage> rows)
    {
        var latest = new Dictionary<(string, string), TelemetryMessage>();
        foreach (var row in rows)
        {
            ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(
                latest, (row.DeviceId, row.GenerationId ?? ""), out _);
            if (found is null || (row.EventAtMs, row.Offset).CompareTo((found.EventAtMs, found.Offset)) > 0)
                found = row;
        }

        return latest;
    }
}
