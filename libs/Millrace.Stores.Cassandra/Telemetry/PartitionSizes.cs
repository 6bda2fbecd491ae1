using Microsoft.Extensions.Logging;
using Millrace.Contracts;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Watches what this process writes into each partition, and tells of one that passes the limit which the options were
/// reckoned for: then devices send more than they say.
/// </summary>
internal sealed class PartitionSizes(long bytesMax, ILogger log)
{
    private const int WatchedMax = 20_000;

    private readonly Lock _gate = new();
    private readonly RecentlyKnown<TelemetryPartition, long> _bytes = new(WatchedMax);

    public void Add(TelemetryPartition partition, TelemetryMessage row)
    {
        var added = TelemetryMessage.RowBytes + row.DeviceId.Length + row.Body.Length;
        foreach (var (name, value) in row.Properties) added += name.Length + value.Length;
        long before;
        lock (_gate)
        {
            _bytes.TryGet(partition, out before);
            _bytes.Set(partition, before + added);
        }

        if (before > bytesMax || before + added <= bytesMax) return;
        StoreMetrics.PartitionsOversized.Add(1);
        log.PartitionOversized(
            partition.Shard, DateTimeOffset.FromUnixTimeMilliseconds(partition.Bucket), bytesMax, row.DeviceId);
    }
}
