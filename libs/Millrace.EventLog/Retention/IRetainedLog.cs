using Millrace.Contracts;

namespace Millrace.EventLog.Retention;

/// <summary>What retention asks of a log besides.</summary>
internal interface IRetainedLog : IEventLog
{
    EventLogMetrics Metrics { get; }

    /// <summary>The topics whose records are the platform's to delete.</summary>
    IReadOnlyList<string> OwnTopics { get; }

    /// <summary>The groups that have committed on the partition, and their next offsets.</summary>
    ValueTask<IReadOnlyList<GroupPosition>> GroupsOfAsync(TopicPartition partition, CancellationToken ct);

    /// <summary>What is kept of the partition, oldest first; nothing when the log cannot tell.</summary>
    ValueTask<IReadOnlyList<SegmentSize>> SizesOfAsync(TopicPartition partition, CancellationToken ct);
}

internal readonly record struct GroupPosition(string Group, long NextOffset);

internal readonly record struct SegmentSize(long FirstOffset, long Bytes);
