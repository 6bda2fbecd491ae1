using System.Buffers;
using Millrace.Contracts;

namespace Millrace.EventLog.Local;

/// <summary>Appends that become durable together, as one stored batch: one write and one sync.</summary>
internal sealed class AppendGroup
{
    private const int FirstBytes = 16 << 10;

    private byte[] _buffer = [];
    private int _used = BatchHeader.Size;

    public List<PendingAppend> Appends { get; } = [];

    public int Count { get; private set; }

    public int RecordBytes => _used - BatchHeader.Size;

    public long MaxTimestampMs { get; private set; } = long.MinValue;

    public void Add(PendingAppend append, RecordBatchBuilder records)
    {
        append.FirstInGroup = Count;
        append.Count = records.Count;
        Appends.Add(append);
        MaxTimestampMs = Math.Max(MaxTimestampMs, append.MaxTimestampMs);
        Count += records.Count;
        EnsureRoom(records.ByteCount);
        records.Bytes.Span.CopyTo(_buffer.AsSpan(_used));
        _used += records.ByteCount;
    }

    /// <summary>The stored batch, when it has its header.</summary>
    public ReadOnlySpan<byte> Sealed => _buffer.AsSpan(0, _used);

    /// <summary>Writes the header before the records.</summary>
    public void Seal(BatchHeader header, ulong salt) => header.Write(_buffer, salt);

    /// <summary>Empty again, and without a buffer: an idle partition holds none.</summary>
    public void Clear()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _used = BatchHeader.Size;
        Appends.Clear();
        Count = 0;
        MaxTimestampMs = long.MinValue;
    }

    private void EnsureRoom(int count)
    {
        var needed = _used + count;
        if (needed <= _buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstBytes, _buffer.Length * 2)));
        if (_buffer.Length > 0)
        {
            _buffer.AsSpan(0, _used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
