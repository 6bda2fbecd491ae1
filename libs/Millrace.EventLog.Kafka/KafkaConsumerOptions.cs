using Millrace.Primitives;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// How records are read, and partitions shared with other processes; section EventLog:Kafka:Consumer.
/// </summary>
public sealed class KafkaConsumerOptions
{
    /// <summary>Bytes that are read ahead of each reader of a partition; beyond them, no more are fetched.</summary>
    public ByteSize ReadAheadBytesMax { get; set; } = ByteSize.FromMiB(2);

    /// <summary>
    /// Bytes of a partition that are kept for slower readers of it in this process, so that all share one fetch; one
    /// that is further behind than this fetches for itself until it is back.
    /// </summary>
    public ByteSize SharedBytesMax { get; set; } = ByteSize.FromMiB(1);

    /// <summary>
    /// A name that stays the same when this process is started again, and that no other process has, such as the pod's
    /// of a StatefulSet: partitions then wait for it so long as <see cref="SessionTimeout"/>. Without it, they move to
    /// others at once, and back.
    /// </summary>
    public string? InstanceId { get; set; }

    /// <summary>A process of which nothing is heard for so long loses its partitions to others.</summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the work on a partition may take to end, before another process takes it anyway.</summary>
    public TimeSpan RevocationTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often the lag of this process's consumers is measured.</summary>
    public TimeSpan LagInterval { get; set; } = TimeSpan.FromSeconds(10);
}
