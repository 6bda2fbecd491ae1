using System.Buffers.Binary;
using Millrace.Contracts;

namespace Millrace.EventLog.Local;

/// <summary>Taking appends in: they are copied into the group that the writer takes next, or wait for room.</summary>
internal sealed partial class Partition
{
    private const int PooledMax = 1024;

    private readonly Queue<PendingAppend> _forRoom = new();
    private readonly Stack<PendingAppend> _pooled = new();
    private AppendGroup _filling = new();
    private AppendGroup _spare = new();
    private bool _writerCalled;
    private TaskCompletionSource? _drained;

    public ValueTask<OffsetRange> AppendAsync(RecordBatchBuilder records, CancellationToken ct)
    {
        var callWriter = Take(records, owner: null, out var append, out var waits);
        var answer = append.Answer;
        if (waits) append.CancelBy(ct);
        if (callWriter) _runtime.Threads.Post(this);
        return answer;
    }

    public void Append(RecordBatchBuilder records, IAppendOwner owner)
    {
        if (Take(records, owner, out _, out _)) _runtime.Threads.Post(this);
    }

    /// <summary>Takes the records in; true when the writer is to be called.</summary>
    private bool Take(RecordBatchBuilder records, IAppendOwner? owner, out PendingAppend append, out bool waits)
    {
        var maxTimestampMs = MaxTimestampMs(records);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LocalLog));
            append = _pooled.TryPop(out var pooled) ? pooled : new PendingAppend(this);
            append.Begin(maxTimestampMs, owner);
            waits = _forRoom.Count > 0 || !HasRoom(records);
            if (waits)
            {
                append.Waiting = records;
                _forRoom.Enqueue(append);
            }
            else
            {
                _filling.Add(append, records);
            }

            var isCalled = _writerCalled;
            _writerCalled = true;
            return !isCalled;
        }
    }

    /// <summary>About how many bytes wait for the writer.</summary>
    public int WaitingBytes => Volatile.Read(ref _filling).RecordBytes;

    /// <summary>Its caller has the answer.</summary>
    public void Return(PendingAppend append)
    {
        lock (_gate)
        {
            if (_pooled.Count < PooledMax) _pooled.Push(append);
        }
    }

    /// <summary>Takes an append back that still waits for room; false when it is already on its way.</summary>
    public bool GiveUp(PendingAppend append)
    {
        lock (_gate)
        {
            var waits = append.Waiting is not null;
            append.Waiting = null;
            return waits;
        }
    }

    private bool HasRoom(RecordBatchBuilder records) =>
        _filling.Count == 0 || _filling.RecordBytes + records.ByteCount <= _runtime.Options.PendingBytesMax.Bytes;

    /// <summary>Whether the writer is to come again; if not, the next append calls it.</summary>
    public bool HasMore()
    {
        lock (_gate)
        {
            if (_filling.Count == 0) Admit();
            if (_filling.Count > 0) return true;
            _writerCalled = false;
            _drained?.TrySetResult();
            return false;
        }
    }

    /// <summary>The group that is written now. Those that waited for room come next.</summary>
    private AppendGroup TakeGroup()
    {
        lock (_gate)
        {
            var group = _filling;
            _filling = _spare;
            Admit();
            return group;
        }
    }

    private void Admit()
    {
        while (_forRoom.TryPeek(out var append))
        {
            if (append.Waiting is { } records)
            {
                if (!HasRoom(records)) return;
                _filling.Add(append, records);
                append.Waiting = null;
            }

            _forRoom.Dequeue();
        }
    }

    private Task Drained()
    {
        lock (_gate)
        {
            _closed = true;
            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_writerCalled) _drained.SetResult();
            return _drained.Task;
        }
    }

    private static long MaxTimestampMs(RecordBatchBuilder records)
    {
        var bytes = records.Bytes.Span;
        var count = 0;
        var max = long.MinValue;
        for (; bytes.Length >= 16; count++)
        {
            var size = 4L + BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            max = Math.Max(max, BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]));
            if (size > bytes.Length) break;
            bytes = bytes[(int)size..];
        }

        if (count == 0 || !bytes.IsEmpty || count != records.Count)
            throw new ArgumentException("The builder has no records, or one that was not ended.", nameof(records));
        return max;
    }
}
