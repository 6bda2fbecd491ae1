using System.Text;
using Millrace.Contracts;

namespace Millrace.Benchmarks.Warm;

/// <summary>One way to cut telemetry into partitions. No shards: each device has partitions of its own.</summary>
internal sealed record Layout(string Name, int Shards)
{
    public static readonly Layout ByDevice = new("(device, bucket)", 0);

    private const long BucketMs = 600_000;

    public string Table => Shards == 0 ? "millrace_bench.by_device" : $"millrace_bench.by_shard_{Shards}";

    public static Layout ByShard(int shards) => new($"({shards} shards, bucket)", shards);

    public string Create()
    {
        var key = Shards == 0 ? "(device, bucket), event_at" : "(shard, bucket), device, event_at";
        var shard = Shards == 0 ? "" : "shard int, ";
        return $"CREATE TABLE IF NOT EXISTS {Table} ({shard}bucket bigint, device text, event_at timestamp, part int, "
            + "log_offset bigint, enqueued_at timestamp, content_type text, body blob, "
            + $"PRIMARY KEY ({key}, part, log_offset)) WITH compaction = "
            + "{'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': 1, "
            + "'compaction_window_unit': 'DAYS'} AND default_time_to_live = 2592000";
    }

    public string Insert() => Shards == 0
        ? $"INSERT INTO {Table} (device, bucket, event_at, part, log_offset, enqueued_at, content_type, body) "
            + "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        : $"INSERT INTO {Table} (shard, bucket, device, event_at, part, log_offset, enqueued_at, content_type, body) "
            + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

    public string SelectNewest()
    {
        var (key, order) = Shards == 0
            ? ("device = ? AND bucket = ?", "event_at DESC")
            : ("shard = ? AND bucket = ? AND device = ?", "device DESC, event_at DESC");
        return $"SELECT event_at, log_offset, body FROM {Table} WHERE {key} AND event_at >= ? AND event_at < ? "
            + $"ORDER BY {order}";
    }

    public int ShardOf(string device) =>
        Shards == 0 ? 0 : Partitioner.PartitionOf(Encoding.UTF8.GetBytes(device), Shards);

    public static long BucketOf(long eventAtMs) => eventAtMs / BucketMs * BucketMs;

    /// <summary>The buckets of a span, newest first.</summary>
    public static IEnumerable<long> Buckets(long fromMs, long toMs)
    {
        for (var bucket = BucketOf(toMs - 1); bucket + BucketMs > fromMs; bucket -= BucketMs) yield return bucket;
    }
}

internal readonly record struct Reading(string Device, int Shard, long EventAtMs, long Offset);
