using System.Collections.Immutable;
using Millrace.Contracts;

namespace Millrace.Archiver;

/// <summary>The telemetry partitions that this process archives now.</summary>
internal sealed class ArchiverAssignment
{
    private ImmutableSortedSet<TopicPartition> _partitions = [];

    public ImmutableSortedSet<TopicPartition> Partitions => Volatile.Read(ref _partitions);

    public void Add(IEnumerable<TopicPartition> partitions) =>
        Volatile.Write(ref _partitions, _partitions.Union(partitions));

    public void Remove(IEnumerable<TopicPartition> partitions) =>
        Volatile.Write(ref _partitions, _partitions.Except(partitions));
}
