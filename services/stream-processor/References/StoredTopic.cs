using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// Whether the warm store has taken anything of a topic since it was last read: its positions say so. What its
/// retention removes leaves no trace there, so that after a while it counts as changed all the same.
/// </summary>
internal sealed class StoredTopic(
    string topic, IEventLog log, Func<TopicPartition, CancellationToken, ValueTask<SinkPosition?>> position,
    TimeProvider time)
{
    private static readonly TimeSpan WholeAgain = TimeSpan.FromMinutes(10);

    private List<SinkPosition?>? _read;
    private long _readAt;

    /// <summary>To be asked before the rows are read: what comes meanwhile is found the next time.</summary>
    public async Task<Reading?> ChangedAsync(CancellationToken ct)
    {
        var positions = new List<SinkPosition?>();
        for (var p = 0; p < (log.FindTopic(topic)?.Partitions ?? 0); p++)
            positions.Add(await position(new TopicPartition(topic, p), ct));
        var isSame = _read is not null && _read.SequenceEqual(positions) && time.GetElapsedTime(_readAt) < WholeAgain;
        return isSame ? null : new Reading(this, positions, time.GetTimestamp());
    }

    /// <summary>A try to read what the store has now.</summary>
    internal sealed class Reading(StoredTopic of, List<SinkPosition?> positions, long at)
    {
        /// <summary>Everything was read.</summary>
        public void Done() => (of._read, of._readAt) = (positions, at);
    }
}
