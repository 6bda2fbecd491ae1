using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>How telemetry lies in Cassandra, and how it is written. Section Cassandra:Telemetry.</summary>
public sealed class CassandraTelemetryOptions
{
    /// <summary>What a partition may hold. More makes reads, compaction and repair slow.</summary>
    internal const long PartitionBytesMax = 100_000_000;

    /// <summary>
    /// The span of event time that a partition holds. A change takes effect after <see cref="ChangeLead"/>, for rows
    /// with a later event time.
    /// </summary>
    public TimeSpan Bucket { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How many partitions share the devices of a bucket; best a multiple of the log's partitions. Changed like the
    /// bucket.
    /// </summary>
    [Range(1, 65_536)]
    public int Shards { get; set; } = 256;

    /// <summary>
    /// The most that one device stores a second, averaged over a bucket; the gateway holds it to that.
    /// </summary>
    public ByteSize DeviceBytesPerSecond { get; set; } = ByteSize.FromKiB(128);

    /// <summary>
    /// The most that all devices store a second, averaged over a bucket; all gateways together hold them to that.
    /// </summary>
    public ByteSize HubBytesPerSecond { get; set; } = ByteSize.FromMiB(8);

    /// <summary>
    /// How far ahead of the clock another bucket or number of shards begins: an hour or more, and 10 minutes more than
    /// EventLog:TimeAheadMax, so that no row that is on its way belongs to it.
    /// </summary>
    public TimeSpan ChangeLead { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How much of a partition goes into one request; 10KiB to 64KiB.</summary>
    public ByteSize BatchBytes { get; set; } = ByteSize.FromKiB(32);

    /// <summary>Requests of writes under way at a time.</summary>
    [Range(1, 10_000)]
    public int WritesInFlightMax { get; set; } = 128;

    /// <summary>
    /// Partitions that one query reads at a time. What they read ahead is four pages together, or 100 rows of each.
    /// </summary>
    [Range(1, 1_000)]
    public int ReadsAtOnceMax { get; set; } = 32;
}
