using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Kafka;

/// <summary>What retention asks. A cluster may have topics of others too, which are not ours to trim.</summary>
public sealed partial class KafkaLog
{
    private static readonly string[] OwnPrefixes = [Contracts.Topics.OutputPrefix, "repartition.", "space."];

    private readonly ConcurrentDictionary<string, bool> _ensured = new();

    EventLogMetrics IRetainedLog.Metrics => _metrics;

    IReadOnlyList<string> IRetainedLog.OwnTopics => [.. Topics.Where(IsOwn)];

    /// <summary>Clients are not told the sizes of partitions.</summary>
    ValueTask<IReadOnlyList<SegmentSize>> IRetainedLog.SizesOfAsync(TopicPartition partition, CancellationToken ct) =>
        new([]);

    ValueTask<IReadOnlyList<GroupPosition>> IRetainedLog.GroupsOfAsync(
        TopicPartition partition, CancellationToken ct) => _groups.OfAsync(partition, ct);

    private bool IsOwn(string topic) => _ensured.ContainsKey(topic)
        || OwnPrefixes.Any(prefix => topic.StartsWith(prefix, StringComparison.Ordinal));
}
