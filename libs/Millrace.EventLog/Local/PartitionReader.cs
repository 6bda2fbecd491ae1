using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// Reads a partition through a file handle of its own, so that trimming never pulls a file from under it. The records
/// of neighbouring stored batches come as one batch: only the headers between them are squeezed out.
/// </summary>
internal sealed class PartitionReader(Partition partition, long offset, LogRuntime runtime)
    : IPartitionReader, IDisposable
{
    private const int ReadBytesMin = 4096;

    private readonly DataSignal _signal = new(partition);
    private Segment? _segment;
    private ILogFile? _file;

    // What the file has at _filePosition: the record of this offset, or the header of the batch that begins with it.
    private long _filePosition;
    private long _fileOffset;
    private int _recordsLeft;
    private int _bytesLeft;

    public long Position { get; private set; } = offset;

    public ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<RecordBatch>(ct);
        try
        {
            return TryRead(bytesMax) is { } batch ? new ValueTask<RecordBatch>(batch) : WaitAsync(bytesMax, ct);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<RecordBatch>(e);
        }
    }

    public ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<RecordBatch?>(ct);
        try
        {
            return new ValueTask<RecordBatch?>(TryRead(bytesMax));
        }
        catch (Exception e)
        {
            return ValueTask.FromException<RecordBatch?>(e);
        }
    }

    public void Seek(long offset)
    {
        Position = offset;
        LetGo();
    }

    public void Dispose() => LetGo();

    public ValueTask DisposeAsync()
    {
        LetGo();
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RecordBatch> WaitAsync(int bytesMax, CancellationToken ct)
    {
        while (true)
        {
            await _signal.WaitAsync(Position, ct).ConfigureAwait(false);
            if (TryRead(bytesMax) is { } batch) return batch;
        }
    }

    internal RecordBatch? TryRead(int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        var bytesWanted = Math.Max(bytesMax, ReadBytesMin);
        while (partition.View(Position, _segment) is { } view)
        {
            if (view.Segment != _segment && !Open(view.Segment)) continue;
            var available = view.EndPosition - _filePosition;
            var buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(available, bytesWanted));
            if (_file!.Read(buffer, _filePosition) != buffer.Length) throw Damaged("The file ends too early.");
            var before = _filePosition;
            if (Take(buffer, bytesMax, out var needed) is { } batch) return batch;
            if (_filePosition == before && needed <= buffer.Length) throw Damaged("A batch ends too early.");
            bytesWanted = Math.Max(bytesWanted, needed);
        }

        return null;
    }

    /// <summary>
    /// Walks what was read, from the file position on. Null when no record that is wanted was whole: then the position
    /// has moved on, or more bytes are needed at once.
    /// </summary>
    private RecordBatch? Take(byte[] buffer, int bytesMax, out int needed)
    {
        needed = 0;
        int at = 0, runStart = 0, start = -1, end = 0, count = 0;
        while (true)
        {
            var rest = buffer.AsSpan(at);
            if (_recordsLeft == 0)
            {
                if (rest.Length < BatchHeader.Size) break;
                EnterBatch(rest);
                KeepRun(at);
                var skipped = BatchHeader.Size + (_fileOffset + _recordsLeft <= Position ? SkipBatch() : 0);
                _filePosition += skipped;
                if (skipped > rest.Length) return null;
                at += skipped;
                runStart = at;
                continue;
            }

            var size = RecordView.Check(rest);
            if (size == 0 && rest.Length >= 4) needed = 4 + (int)BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (size < 0 || Math.Max(size, needed) > _bytesLeft) throw Damaged("A record does not match its checksum.");
            if (size == 0 || (count > 0 && Kept() + at - runStart + size > bytesMax)) break;
            if (_fileOffset >= Position) count++;
            else runStart = at + size;
            at += size;
            Pass(size);
        }

        KeepRun(at);
        if (count == 0) return null;
        var batch = new RecordBatch(partition.Id, Position, count, buffer.AsMemory(start, Kept()));
        Position += count;
        return batch;

        int Kept() => start < 0 ? 0 : end - start;

        // Moves the records since the last header next to those before it.
        void KeepRun(int runEnd)
        {
            var length = runEnd - runStart;
            if (length <= 0) return;
            if (start < 0) start = end = runStart;
            if (end != runStart) buffer.AsSpan(runStart, length).CopyTo(buffer.AsSpan(end));
            end += length;
            runStart = runEnd;
        }
    }

    private void EnterBatch(ReadOnlySpan<byte> bytes)
    {
        if (!BatchHeader.TryRead(bytes, _segment!.Salt, out var header) || header.FirstOffset != _fileOffset)
            throw Damaged("The header of a batch does not hold.");
        _recordsLeft = header.Count;
        _bytesLeft = header.Bytes;
    }

    /// <summary>Passes over a batch that lies wholly before the position; returns its bytes.</summary>
    private int SkipBatch()
    {
        var bytes = _bytesLeft;
        _fileOffset += _recordsLeft;
        (_recordsLeft, _bytesLeft) = (0, 0);
        return bytes;
    }

    private void Pass(int size)
    {
        _filePosition += size;
        _fileOffset++;
        _recordsLeft--;
        _bytesLeft -= size;
        if (_recordsLeft == 0 && _bytesLeft != 0) throw Damaged("A batch is longer than its records.");
    }

    /// <summary>False when the segment was trimmed just now.</summary>
    private bool Open(Segment segment)
    {
        LetGo();
        try
        {
            _file = runtime.Disk.Open(segment.Path);
        }
        catch (FileNotFoundException) when (partition.Range().First > segment.FirstOffset)
        {
            return false;
        }

        var entry = partition.Entry(segment, Position);
        (_segment, _filePosition, _fileOffset) = (segment, entry.Position, entry.Offset);
        return true;
    }

    private void LetGo()
    {
        _file?.Dispose();
        (_file, _segment, _recordsLeft, _bytesLeft) = (null, null, 0, 0);
    }

    private MillraceException Damaged(string detail)
    {
        detail += $" Record {_fileOffset} should be there.";
        var error = LogRuntime.Damaged(_segment!.Path, _filePosition, detail);
        runtime.Metrics.Damage.Add(1, EventLogMetrics.Topic(partition.Id.Topic));
        runtime.Log.DamageMet(error.ToString());
        LetGo();
        return error.AsException();
    }
}
