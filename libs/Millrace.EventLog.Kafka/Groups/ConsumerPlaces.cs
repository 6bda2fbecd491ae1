using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>How far a group is on a partition; null where it has committed nothing yet.</summary>
internal readonly record struct ConsumerPlace(string Group, TopicPartition Partition, long? NextOffset);

/// <summary>Finds what is to be read by who has some of a group's partitions.</summary>
internal static class ConsumerPlaces
{
    /// <summary>
    /// Who has a partition has those of the same number too of other topics that the group commits on, and that nobody
    /// shares by themselves: a query with several inputs reads so. A group that has committed nothing on the topic
    /// whose partitions it shares reads none of it: it shares other work by them.
    /// </summary>
    public static IEnumerable<ConsumerPlace> Of(
        IReadOnlyList<(string Group, TopicPartition Partition)> held,
        IReadOnlyDictionary<(string Group, TopicPartition Partition), CommittedOffset> committed)
    {
        var shared = held.Select(each => (each.Group, each.Partition.Topic)).ToHashSet();
        var read = committed.Keys.Select(each => (each.Group, each.Partition.Topic)).ToHashSet();
        var numbers = held.Select(each => (each.Group, each.Partition.Partition)).ToHashSet();
        foreach (var (group, partition) in held.Where(each => read.Contains((each.Group, each.Partition.Topic))))
            yield return new(group, partition, committed.GetValueOrDefault((group, partition))?.NextOffset);
        foreach (var ((group, partition), offset) in committed)
        {
            if (!shared.Contains((group, partition.Topic)) && numbers.Contains((group, partition.Partition)))
                yield return new(group, partition, offset.NextOffset);
        }
    }
}
