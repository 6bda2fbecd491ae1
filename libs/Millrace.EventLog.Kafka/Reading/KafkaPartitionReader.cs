using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// Reads a partition of the cluster forward. It begins to fetch with its first read, or joins others that are at its
/// place; what was fetched by then is given even when it is trimmed meanwhile.
/// </summary>
internal sealed class KafkaPartitionReader(KafkaLog log, TopicPartition partition, long offset) : IPartitionReader
{
    private readonly PartitionFeeds _feeds = log.Feeds(partition);
    private PartitionFeed? _feed;
    private Task _more = Task.CompletedTask;
    private volatile bool _isDisposed;

    public long Position { get; private set; } = offset;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
    {
        var begun = Position;
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (await TakeAsync(bytesMax, ct).ConfigureAwait(false) is { } batch) return batch;
            if (Position > begun) return RecordBatch.None(partition, Position);
            await _more.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    public async ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        if (_feed is not null && await TakeAsync(bytesMax, ct).ConfigureAwait(false) is { } there) return there;

        // What is fetched is not all that there is: the brokers say where the end is now.
        var range = await RangeOfPositionAsync(ct).ConfigureAwait(false);
        while (Position < range.Next)
        {
            if (await TakeAsync(bytesMax, ct).ConfigureAwait(false) is { } batch) return batch;
            if (Position < range.Next) await _more.WaitAsync(ct).ConfigureAwait(false);
        }

        return null;
    }

    public void Seek(long offset)
    {
        Close();
        Position = offset;
    }

    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        Interlocked.MemoryBarrier();
        Close();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<RecordBatch?> TakeAsync(int bytesMax, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(IPartitionReader));
        var feed = _feed is { } own ? _feeds.Meet(this, own) : _feeds.Join(this);
        _feed = feed;
        var outcome = feed.Take(this, bytesMax, out var batch, out _more);
        if (_isDisposed)
        {
            // It was closed meanwhile, perhaps before it came here.
            _feeds.Leave(this, feed);
            throw new ObjectDisposedException(nameof(IPartitionReader));
        }

        switch (outcome)
        {
            case FetchOutcome.Records:
                Position = batch.NextOffset;
                return batch;
            case FetchOutcome.Empty:
                Position = batch.NextOffset;
                return null;
            case FetchOutcome.Left:
                LookAgain();
                return null;
            case FetchOutcome.OutOfRange:
                LookAgain();
                await RangeOfPositionAsync(ct).ConfigureAwait(false);
                return null;
            default:
                var error = feed.Error;
                Close();
                var definition = error == NativeErrors.BadMessage
                    ? EventLogErrors.Damaged
                    : KafkaLogErrors.ClusterFailed;
                throw definition.With($"{partition} at {Position}", Rdkafka.Describe(error)).AsException();
        }
    }

    /// <summary>The range, when the position lies in it; else the error that it does not.</summary>
    private async ValueTask<OffsetRange> RangeOfPositionAsync(CancellationToken ct)
    {
        var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
        if (Position < range.First) throw Outside(EventLogErrors.Trimmed, $"Kept is what begins at {range.First}.");
        if (Position > range.Next) throw Outside(EventLogErrors.BeyondEnd, $"The log ends at {range.Next}.");
        return range;
    }

    private MillraceException Outside(ErrorDefinition definition, string detail) =>
        definition.With($"{partition} at {Position}", detail).AsException();

    /// <summary>At once, by another feed.</summary>
    private void LookAgain()
    {
        Close();
        _more = Task.CompletedTask;
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _feed, null) is { } feed) _feeds.Leave(this, feed);
    }
}
