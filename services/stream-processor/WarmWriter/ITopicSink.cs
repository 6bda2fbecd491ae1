using Millrace.Contracts;
using Millrace.Stores;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Puts the records of one topic into a store. Replays change nothing.</summary>
internal interface ITopicSink
{
    /// <summary>Names the sink in logs and metrics, and is the consumer group under which it commits.</summary>
    string Name { get; }

    /// <summary>How far the partition is stored; the store's word rules over the group's offset.</summary>
    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct);

    /// <summary>
    /// Stores the batches, neighbours of one partition, together with the position after them. What cannot be stored
    /// goes to dead letters alone.
    /// </summary>
    /// <param name="metadata">What the sink kept with its position before; returns what it keeps now.</param>
    /// <param name="stop">What was begun is finished; what fails after this is not tried again.</param>
    ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop);
}
