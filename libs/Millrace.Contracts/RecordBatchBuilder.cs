using System.Buffers;
using System.Buffers.Binary;
using Millrace.Primitives;

namespace Millrace.Contracts;

/// <summary>
/// Encodes records for one append. The layout is the local log's on disk, little-endian:
/// <code>
/// u32 length of what follows · u32 CRC32C of what follows · i64 timestamp (ms since 1970 UTC)
/// · i32 key length (-1: no key) · u16 headers · i32 value length · key · { u16 name length · i32 value length · name
/// · value }... · value
/// </code>
/// A record has no offset in its bytes: the log gives a batch its first offset, and the rest count up from it.
/// Not safe for use by two threads at once. Reuse one by <see cref="Clear"/>.
/// </summary>
public sealed class RecordBatchBuilder : IDisposable
{
    /// <summary>The most headers that a record can have.</summary>
    public const int HeadersMax = ushort.MaxValue;

    /// <summary>The most bytes that the name of a header can have.</summary>
    public const int HeaderNameBytesMax = ushort.MaxValue;

    internal const int PrefixBytes = 8;
    internal const int FixedBytes = 18;

    private byte[] _buffer;
    private int _used;
    private int _recordStart = -1;
    private int _headers;

    public RecordBatchBuilder(int initialBytes = 4096) => _buffer = ArrayPool<byte>.Shared.Rent(initialBytes);

    public int Count { get; private set; }

    public int ByteCount => _used;

    /// <summary>What was encoded so far; valid until the next change of this builder.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _used);

    /// <summary>Called before a record ends; it may look at the record's headers and add some.</summary>
    public Action? Ending { get; set; }

    /// <summary>Begins a record. Then come headers, any number of them, and <see cref="End"/>.</summary>
    public void Begin(long timestampMs, ReadOnlySpan<byte> key, bool hasKey = true)
    {
        if (_recordStart >= 0) throw new InvalidOperationException("The record before was not ended.");
        _recordStart = _used;
        _headers = 0;
        var head = Reserve(PrefixBytes + FixedBytes + key.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head[PrefixBytes..], timestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(head[(PrefixBytes + 8)..], hasKey ? key.Length : -1);
        key.CopyTo(head[(PrefixBytes + FixedBytes)..]);
    }

    public void AddHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var target = Reserve(6 + name.Length + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target, checked((ushort)name.Length));
        BinaryPrimitives.WriteInt32LittleEndian(target[2..], value.Length);
        name.CopyTo(target[6..]);
        value.CopyTo(target[(6 + name.Length)..]);
        _headers++;
    }

    /// <summary>Adds a header whose name is <paramref name="prefix"/> followed by <paramref name="name"/>.</summary>
    public void AddHeader(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var target = Reserve(6 + prefix.Length + name.Length + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target, checked((ushort)(prefix.Length + name.Length)));
        BinaryPrimitives.WriteInt32LittleEndian(target[2..], value.Length);
        prefix.CopyTo(target[6..]);
        name.CopyTo(target[(6 + prefix.Length)..]);
        value.CopyTo(target[(6 + prefix.Length + name.Length)..]);
        _headers++;
    }

    /// <summary>The last header of this name of the record that was begun; valid until the next change.</summary>
    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var found = false;
        var record = _buffer.AsSpan(_recordStart, _used - _recordStart);
        var keyBytes = Math.Max(BinaryPrimitives.ReadInt32LittleEndian(record[(PrefixBytes + 8)..]), 0);
        var headers = new RecordView.HeaderEnumerable(record[(PrefixBytes + FixedBytes + keyBytes)..], _headers);
        foreach (var header in headers)
        {
            if (!header.Name.SequenceEqual(name)) continue;
            value = header.Value;
            found = true;
        }

        return found;
    }

    public void End(ReadOnlySpan<byte> value)
    {
        Ending?.Invoke();
        value.CopyTo(Reserve(value.Length));
        var record = _buffer.AsSpan(_recordStart, _used - _recordStart);
        BinaryPrimitives.WriteUInt16LittleEndian(record[(PrefixBytes + 12)..], checked((ushort)_headers));
        BinaryPrimitives.WriteInt32LittleEndian(record[(PrefixBytes + 14)..], value.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(record.Length - 4));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C.Compute(record[PrefixBytes..]));
        _recordStart = -1;
        Count++;
    }

    /// <summary>Takes back the record that was begun and not ended.</summary>
    public void Abandon()
    {
        if (_recordStart < 0) return;
        _used = _recordStart;
        _recordStart = -1;
    }

    /// <summary>
    /// Takes back the records behind the first ones, of which <see cref="ByteCount"/> and <see cref="Count"/> were
    /// these.
    /// </summary>
    public void BackTo(int byteCount, int count)
    {
        if (_recordStart >= 0) throw new InvalidOperationException("The record before was not ended.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteCount, _used);
        (_used, Count) = (byteCount, count);
    }

    /// <summary>Adds all records of <paramref name="batch"/> as they are, bodies, headers and timestamps.</summary>
    public void Append(RecordBatch batch)
    {
        batch.Bytes.Span.CopyTo(Reserve(batch.Bytes.Length));
        Count += batch.Count;
    }

    public void Clear()
    {
        _used = 0;
        _recordStart = -1;
        Count = 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        Clear();
    }

    private Span<byte> Reserve(int count)
    {
        var needed = checked(_used + count);
        if (needed > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _buffer.Length * 2));
            _buffer.AsSpan(0, _used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var reserved = _buffer.AsSpan(_used, count);
        _used = needed;
        return reserved;
    }
}
