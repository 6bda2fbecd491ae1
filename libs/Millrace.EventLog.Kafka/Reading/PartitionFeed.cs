using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// One fetch of a partition and its readers. Whoever is ahead takes what was fetched, and as long as others are behind
/// it is kept for them, up to a limit.
/// </summary>
internal sealed class PartitionFeed(TopicPartition partition, PartitionFetch fetch, long keptBytesMax) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<KafkaPartitionReader> _readers = [];
    private readonly RecentBatches _kept = new(partition, fetch.Next);
    private readonly RecordBatchBuilder _records = new();
    private bool _isBroken;

    /// <summary>The offset that is taken next by who is ahead.</summary>
    public long Next => fetch.Next;

    public int Error => fetch.Error;

    /// <summary>Whether a reader that is there can go on here.</summary>
    public bool Has(long position)
    {
        lock (_gate) return !_isBroken && position >= _kept.Start && position <= Next;
    }

    public void Add(KafkaPartitionReader reader)
    {
        lock (_gate) _readers.Add(reader);
    }

    /// <summary>True when it was the last. It waits no more, if it did.</summary>
    public bool Remove(KafkaPartitionReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
            if (_readers.Count == 0) return true;
        }

        fetch.Wake();
        return false;
    }

    /// <summary>
    /// The records at the reader's position, at least one when there is one, and no more than fit; without any, where
    /// they go on.
    /// </summary>
    /// <param name="more">Ends when there may be more.</param>
    public FetchOutcome Take(KafkaPartitionReader reader, int bytesMax, out RecordBatch batch, out Task more)
    {
        lock (_gate)
        {
            more = fetch.More;
            batch = RecordBatch.None(partition, reader.Position);
            if (reader.Position < _kept.Start) return FetchOutcome.Left;
            if (_kept.TryTake(reader.Position, bytesMax, _records, out batch)) return FetchOutcome.Records;
            if (_isBroken) return FetchOutcome.Left;
            if (reader.Position == Next) return Fetch(reader, bytesMax, out batch);
            batch = RecordBatch.None(partition, Next);
            return FetchOutcome.Empty;
        }
    }

    public void Dispose()
    {
        fetch.Dispose();
        lock (_gate) _records.Dispose();
    }

    private FetchOutcome Fetch(KafkaPartitionReader reader, int bytesMax, out RecordBatch batch)
    {
        _records.Clear();
        var outcome = fetch.Take(_records, bytesMax, out var first);
        batch = outcome == FetchOutcome.Records
            ? new RecordBatch(partition, first, _records.Count, _records.Bytes.ToArray())
            : RecordBatch.None(partition, Next);
        if (outcome == FetchOutcome.Records) Keep(batch, reader);

        // Others begin anew, each at its place, when they have taken what is kept.
        _isBroken = outcome is FetchOutcome.OutOfRange or FetchOutcome.Failed;
        return outcome;
    }

    /// <summary>For others that are not as far; one that is behind all that is kept does not go on here.</summary>
    private void Keep(RecordBatch batch, KafkaPartitionReader taker)
    {
        var needed = batch.NextOffset;
        foreach (var reader in _readers)
        {
            if (reader != taker && reader.Position >= _kept.Start) needed = Math.Min(needed, reader.Position);
        }

        _kept.Add(batch);
        _kept.Shrink(needed, keptBytesMax);
    }
}
