using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// What retention asks. A cluster may have topics of others too, which are not ours to trim. A round asks for many
/// partitions at about the same time, so that the groups are asked once for all of them.
/// </summary>
public sealed partial class KafkaLog
{
    private static readonly string[] OwnPrefixes = [Contracts.Topics.OutputPrefix, "repartition.", "space."];
    private static readonly TimeSpan PositionsFreshFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, bool> _ensured = new();
    private ILookup<TopicPartition, GroupPosition>? _positions;
    private long _positionsAskedAt;

    EventLogMetrics IRetainedLog.Metrics => _metrics;

    IReadOnlyList<string> IRetainedLog.OwnTopics => [.. Topics.Where(IsOwn)];

    /// <summary>Clients are not told the sizes of partitions.</summary>
    ValueTask<IReadOnlyList<SegmentSize>> IRetainedLog.SizesOfAsync(TopicPartition partition, CancellationToken ct) =>
        new([]);

    async ValueTask<IReadOnlyList<GroupPosition>> IRetainedLog.GroupsOfAsync(
        TopicPartition partition, CancellationToken ct)
    {
        if (_positions is null || _time.GetElapsedTime(_positionsAskedAt) > PositionsFreshFor)
        {
            _positionsAskedAt = _time.GetTimestamp();
            _positions = await PositionsAsync(ct).ConfigureAwait(false);
        }

        return [.. _positions[partition]];
    }

    private bool IsOwn(string topic) => _options.Prefix.Length > 0 || _ensured.ContainsKey(topic)
        || OwnPrefixes.Any(prefix => topic.StartsWith(prefix, StringComparison.Ordinal));

    private async Task<ILookup<TopicPartition, GroupPosition>> PositionsAsync(CancellationToken ct)
    {
        var positions = new List<(TopicPartition Partition, GroupPosition Position)>();
        foreach (var group in await _groups.NamesAsync(ct).ConfigureAwait(false))
        {
            foreach (var (partition, committed, _) in await _groups.CommittedAsync(group, ct).ConfigureAwait(false))
            {
                if (committed is not null) positions.Add((partition, new GroupPosition(group, committed.NextOffset)));
            }
        }

        return positions.ToLookup(each => each.Partition, each => each.Position);
    }
}
