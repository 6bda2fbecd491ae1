using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// One consumer of the library, shared by readers: each partition is read by one reader of it at a time, which has a
/// queue of its own, so that a slow one holds up no other.
/// </summary>
internal sealed class ReaderClient(IReadOnlyDictionary<string, string> settings, ILogger log) : IDisposable
{
    private readonly HashSet<TopicPartition> _partitions = [];

    public NativeClient Native { get; } = new(ClientKind.Consumer, settings, log);

    /// <summary>Guarded by the pool.</summary>
    public bool TryTake(TopicPartition partition) => _partitions.Add(partition);

    /// <summary>Guarded by the pool.</summary>
    public void Return(TopicPartition partition) => _partitions.Remove(partition);

    public void Dispose() => Native.Dispose();
}
