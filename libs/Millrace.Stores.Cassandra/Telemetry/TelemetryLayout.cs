using System.Text;
using Millrace.Contracts;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>How telemetry from an event time on is cut into partitions.</summary>
/// <param name="FromMs">The first event time that it holds for.</param>
/// <param name="WidthMs">How long a bucket is; the last one ends where the next layout begins.</param>
/// <param name="Shards">How many partitions share the devices of a bucket.</param>
internal sealed record TelemetryLayout(long FromMs, long WidthMs, int Shards)
{
    /// <summary>The first layout of a hub; the times of all rows come after it.</summary>
    public const long Beginning = 0;

    private const int StackBytesMax = 512;

    /// <summary>Where the bucket of an event time begins.</summary>
    public long BucketOf(long eventAtMs) => FromMs + (FloorDivide(eventAtMs - FromMs, WidthMs) * WidthMs);

    /// <summary>
    /// By the hash that cuts the log too, so that a batch of one log partition meets few shards when one number
    /// divides the other.
    /// </summary>
    public static int ShardOf(string deviceId, int shards)
    {
        var size = Encoding.UTF8.GetMaxByteCount(deviceId.Length);
        var utf8 = size <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[size];
        return Partitioner.PartitionOf(utf8[..Encoding.UTF8.GetBytes(deviceId, utf8)], shards);
    }

    private static long FloorDivide(long value, long by) => (value / by) - (value % by < 0 ? 1 : 0);
}

/// <summary>A partition of the telemetry table.</summary>
internal readonly record struct TelemetryPartition(int Shard, long Bucket);
