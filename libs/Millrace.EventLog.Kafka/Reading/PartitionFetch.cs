using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>What a look into the fetched records brought.</summary>
internal enum FetchOutcome
{
    /// <summary>Records were taken.</summary>
    Records,

    /// <summary>Nothing is there yet.</summary>
    Empty,

    /// <summary>Who is there has to begin anew, at its own place.</summary>
    Left,

    /// <summary>The position is not, or no more, within the partition.</summary>
    OutOfRange,

    /// <summary>The brokers said that something is wrong; see <see cref="PartitionFetch.Error"/>.</summary>
    Failed,
}

/// <summary>
/// The records of one partition from an offset on, as the library fetches them in the background into a queue of their
/// own, up to a limit.
/// </summary>
internal sealed unsafe class PartitionFetch : IDisposable
{
    private const int MessagesMax = 512;

    private readonly Lock _gate = new();
    private readonly NativeSignal _signal;
    private readonly nint _topic;
    private readonly int _partition;
    private readonly Action<PartitionFetch> _ended;
    private readonly nint[] _messages = new nint[MessagesMax];
    private int _count;

    /// <summary>The first that is not taken, and the first that is not given back.</summary>
    private int _at, _held;

    private bool _isDisposed;

    public PartitionFetch(
        NativeClient client, string topic, int partition, long offset, Action<PartitionFetch> ended)
    {
        (_topic, _partition, _ended) = (client.Topic(topic), partition, ended);
        _signal = new NativeSignal(client);
        Next = offset;
        if (Rdkafka.ConsumeStart(_topic, partition, offset, _signal.Queue) == 0) return;
        var error = Rdkafka.Describe(Rdkafka.LastError());
        _signal.Dispose();
        throw KafkaLogErrors.ClusterFailed.With($"{topic}/{partition}", error).AsException();
    }

    /// <summary>The offset that is taken next, or a later one where offsets hold no records for readers.</summary>
    public long Next { get; private set; }

    public int Error { get; private set; }

    /// <summary>Ends when there may be more; to be asked for before a look.</summary>
    public Task More => _signal.Next;

    /// <summary>Has all who wait look again.</summary>
    public void Wake() => _signal.Set();

    /// <summary>
    /// Takes neighbouring records, at least one when there is one, and no more than fit. They stand next to one another
    /// in the log: a batch ends where an offset is missing.
    /// </summary>
    public FetchOutcome Take(RecordBatchBuilder into, int bytesMax, out long firstOffset)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));
            try
            {
                return TakeHeld(into, bytesMax, out firstOffset);
            }
            finally
            {
                GiveBack();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            _at = _count;
            GiveBack();
            Rdkafka.ConsumeStop(_topic, _partition);
            _signal.Set();
            _signal.Dispose();
        }

        _ended(this);
    }

    private FetchOutcome TakeHeld(RecordBatchBuilder into, int bytesMax, out long firstOffset)
    {
        firstOffset = Next;
        while (Peek() is var message && message is not null)
        {
            if (message->Error != 0)
            {
                if (into.Count > 0) return FetchOutcome.Records;
                _at++;
                if (Meet(message->Error, message->Offset) is { } outcome) return outcome;
                firstOffset = Next;
                continue;
            }

            var (bytes, count) = (into.ByteCount, into.Count);
            if (count == 0) firstOffset = message->Offset;
            else if (message->Offset != Next) break;
            RecordReader.Read(message, into);
            if (count > 0 && into.ByteCount > bytesMax)
            {
                // Its size is known when it is encoded; it begins the next batch.
                into.BackTo(bytes, count);
                break;
            }

            Next = message->Offset + 1;
            _at++;
        }

        return into.Count > 0 ? FetchOutcome.Records : FetchOutcome.Empty;
    }

    private NativeMessage* Peek()
    {
        if (_at == _count)
        {
            GiveBack();
            fixed (nint* messages = _messages)
            {
                var got = Rdkafka.ConsumeBatch(_signal.Queue, 0, (NativeMessage**)messages, MessagesMax);
                (_at, _held, _count) = (0, 0, Math.Max(0, (int)got));
            }
        }

        return _at < _count ? (NativeMessage*)_messages[_at] : null;
    }

    /// <summary>
    /// All that were taken, one right after the other: each takes the lock of the memory that the library's thread
    /// fills meanwhile, and who comes to it again and again, with other work between, has both wait and wake each
    /// other.
    /// </summary>
    private void GiveBack()
    {
        while (_held < _at) Rdkafka.MessageDestroy((NativeMessage*)_messages[_held++]);
    }

    private FetchOutcome? Meet(int error, long offset)
    {
        if (error == NativeErrors.PartitionEnd)
        {
            // What lies between are marks of transactions, which no reader sees.
            if (offset > Next) Next = offset;
            return null;
        }

        Error = error;
        return error == NativeErrors.OffsetOutOfRange ? FetchOutcome.OutOfRange : FetchOutcome.Failed;
    }
}
