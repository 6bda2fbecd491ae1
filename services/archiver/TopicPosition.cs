using System.Collections.Immutable;
using Millrace.Delta;

namespace Millrace.Archiver;

/// <summary>Where the table stands in one partition of a topic.</summary>
/// <param name="Next">Null where it has no position. What was read but not committed is not in it.</param>
/// <param name="Epochs">The epochs of queries that were seen up to there.</param>
internal sealed record TopicPosition(long? Next, IReadOnlyDictionary<string, long> Epochs)
{
    public static TopicPosition Of(ArchiveTopic topic, DeltaSnapshot snapshot, int partition) =>
        new(snapshot.PositionOf(topic.AppIdOf(partition)),
            topic.EpochsOf(snapshot, partition).ToImmutableDictionary());

    /// <summary>What moves with the rows up to there: the position, and epochs that rose.</summary>
    public IEnumerable<PositionMove> MovesTo(TopicPosition end, ArchiveTopic topic, int partition) =>
    [
        new PositionMove(topic.AppIdOf(partition), Next, end.Next!.Value),
        .. end.Epochs.Where(epoch => Epochs.GetValueOrDefault(epoch.Key) != epoch.Value)
            .Select(epoch => new PositionMove(OutputTable.EpochIdOf(partition, epoch.Key),
                Epochs.TryGetValue(epoch.Key, out var before) ? before : null, epoch.Value)),
    ];
}
