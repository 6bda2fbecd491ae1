using System.Collections.Immutable;
using Millrace.Contracts;

namespace Millrace.Archiver;

/// <summary>The telemetry partitions that this process archives now.</summary>
internal sealed class ArchiverAssignment
{
    private readonly Lock _changing = new();
    private ImmutableSortedSet<TopicPartition> _partitions = [];
    private TaskCompletionSource _changed = NewSignal();

    public ImmutableSortedSet<TopicPartition> Partitions => Volatile.Read(ref _partitions);

    /// <summary>Completes with the next change; ask for it before looking at <see cref="Partitions"/>.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public void Add(IEnumerable<TopicPartition> partitions) => Change(known => known.Union(partitions));

    public void Remove(IEnumerable<TopicPartition> partitions) => Change(known => known.Except(partitions));

    private void Change(Func<ImmutableSortedSet<TopicPartition>, ImmutableSortedSet<TopicPartition>> change)
    {
        lock (_changing)
        {
            Volatile.Write(ref _partitions, change(_partitions));
            Interlocked.Exchange(ref _changed, NewSignal()).SetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
