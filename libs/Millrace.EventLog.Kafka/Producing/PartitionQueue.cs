using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>What became of an append that was to be handed to the library.</summary>
internal enum HandOver
{
    /// <summary>Reports come, or the answer is there already.</summary>
    Done,

    /// <summary>It goes when others have their answers.</summary>
    Waits,

    /// <summary>The library took nothing of it, and takes nothing any more.</summary>
    Fatal,
}

/// <summary>
/// The appends of one partition, in their order. The library sends no more of a partition while this many records have
/// no answer, and as long as it has more to send its thread asks without a pause whether it may. So what cannot leave
/// waits here, and then leaves together.
/// </summary>
/// <param name="write">Hands records to the library; returns how many it took, and the error of the next one.</param>
/// <param name="answered">Called for an append that has its answer before this returns; not to be told here.</param>
internal sealed class PartitionQueue(
    Func<PendingAppend, RecordBatchBuilder, (int Taken, int Error)> write, Action<PendingAppend> answered)
{
    /// <summary>Batches of which brokers see that they were sent before.</summary>
    public const int OnTheWayMax = 5;

    /// <summary>What one batch of the library has at most, but for a record that is larger.</summary>
    public const int BatchBytesMax = 1_000_000, BatchRecordsMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<(PendingAppend Append, RecordBatchBuilder Records)> _waiting = new();
    private int _onTheWay;

    public HandOver Append(PendingAppend append, RecordBatchBuilder records)
    {
        lock (_gate)
        {
            if (_onTheWay >= OnTheWayMax || _waiting.Count > 0)
            {
                _waiting.Enqueue((append, records));
                return HandOver.Waits;
            }

            var (taken, error) = write(append, records);
            if (taken == 0 && error == NativeErrors.Fatal) return HandOver.Fatal;
            HandedOver(append, taken, error);
            return HandOver.Done;
        }
    }

    /// <summary>One that was handed over has its answer: those that wait go, as many as fit a batch.</summary>
    public void Answered(PendingAppend append)
    {
        lock (_gate)
        {
            _onTheWay -= append.Taken;
            if (_onTheWay >= OnTheWayMax) return;
            var (bytes, count) = (0, 0);
            while (_waiting.TryPeek(out var next) && (count == 0
                || (bytes + next.Append.Bytes <= BatchBytesMax && count + next.Append.Records <= BatchRecordsMax)))
            {
                _waiting.Dequeue();
                var (taken, error) = write(next.Append, next.Records);
                if (taken > 0) (bytes, count) = (bytes + next.Append.Bytes, count + taken);
                HandedOver(next.Append, taken, error);
            }
        }
    }

    /// <summary>What waits, in its order; it will not be handed over any more.</summary>
    public IReadOnlyList<PendingAppend> GiveUp()
    {
        lock (_gate)
        {
            var left = _waiting.Select(waiting => waiting.Append).ToList();
            _waiting.Clear();
            return left;
        }
    }

    private void HandedOver(PendingAppend append, int taken, int error)
    {
        _onTheWay += taken;
        if (append.HandedOver(taken, error)) answered(append);
    }
}
