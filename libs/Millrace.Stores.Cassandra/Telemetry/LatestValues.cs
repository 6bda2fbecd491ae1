using System.Buffers;
using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Each device's latest value, one cell whose timestamp is the event time and whose bytes begin with the offset: of two
/// writes, in whatever order they come, Cassandra keeps the one with the highest (event_at, offset). Beside it stands
/// the end of a device that was deleted; a value that is from before it is none.
/// </summary>
internal sealed class LatestValues(CassandraDatabase database)
{
    private const int ShardsFixed = 1_024;

    private static readonly StoreStatement Insert = new(
        "INSERT INTO telemetry_latest(shard, device, value) VALUES(?, ?, ?) USING TIMESTAMP ?");

    private static readonly StoreStatement Select = new(
        "SELECT value, ended FROM telemetry_latest WHERE shard = ? AND device = ?");

    private static readonly StoreStatement End = new(
        "UPDATE telemetry_latest USING TIMESTAMP ? SET ended = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement DeleteValue = new(
        "DELETE value FROM telemetry_latest USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    /// <summary>The writes for the latest of these rows of each device.</summary>
    public async ValueTask<IReadOnlyList<CqlStatement>> BindAsync(
        IReadOnlyList<TelemetryMessage> rows, long batchBytes, CancellationToken ct)
    {
        var batches = new PartitionBatches<int>(batchBytes);
        var value = new ArrayBufferWriter<byte>();
        foreach (var (device, row) in LatestOf(rows))
        {
            var shard = TelemetryLayout.ShardOf(device, ShardsFixed);
            LatestCodec.Write(row, value);
            var insert = await database.BindAsync(Insert, ct).ConfigureAwait(false);
            batches.Add(shard, insert.Add(shard).Add(device).Add(value.WrittenSpan)
                .Add(TelemetryTable.MicrosecondsOf(row.EventAtMs)));
        }

        return batches.Take();
    }

    public ValueTask<TelemetryMessage?> FindAsync(string device, CancellationToken ct) =>
        database.FirstAsync(Select, row =>
        {
            if (row.IsNull(0)) return null;
            var value = LatestCodec.Read(device, row.Bytes(0));
            var end = DeviceEndCodec.Read(device, row, 1);
            return end?.Covers(value.EnqueuedAtMs, value.GenerationId) == true ? null : value;
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
        var left = await database.FirstAsync(Select,
            row => row.IsNull(0) ? null : LatestCodec.Read(device, row.Bytes(0)), ct, shard, device)
            .ConfigureAwait(false);
        if (left is null || !end.Covers(left.EnqueuedAtMs, left.GenerationId)) return;
        await database.RunAsync(DeleteValue, ct, TelemetryTable.MicrosecondsOf(left.EventAtMs), shard, device)
            .ConfigureAwait(false);
    }

    private static Dictionary<string, TelemetryMessage> LatestOf(IReadOnlyList<TelemetryMessage> rows)
    {
        var latest = new Dictionary<string, TelemetryMessage>();
        foreach (var row in rows)
        {
            ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(latest, row.DeviceId, out _);
            if (found is null || (row.EventAtMs, row.Offset).CompareTo((found.EventAtMs, found.Offset)) > 0)
                found = row;
        }

        return latest;
    }
}
