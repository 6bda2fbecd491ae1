using System.Buffers;
using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Each device's latest value, one cell whose timestamp is the event time and whose bytes begin with the offset: of two
/// writes, in whatever order they come, Cassandra keeps the one with the highest (event_at, offset).
/// </summary>
internal sealed class LatestValues(CassandraDatabase database)
{
    private const int ShardsFixed = 1_024;

    private static readonly StoreStatement Insert = new(
        "INSERT INTO telemetry_latest(shard, device, value) VALUES(?, ?, ?) USING TIMESTAMP ?");

    private static readonly StoreStatement Select = new(
        "SELECT value FROM telemetry_latest WHERE shard = ? AND device = ?");

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
        database.FirstAsync<TelemetryMessage>(
            Select, row => LatestCodec.Read(device, row.Bytes(0)), ct, TelemetryLayout.ShardOf(device, ShardsFixed),
            device);

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
