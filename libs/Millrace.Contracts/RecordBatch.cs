using System.Buffers.Binary;
using Millrace.Primitives;

namespace Millrace.Contracts;

/// <summary>
/// Neighbouring records of one partition, as read: record i has offset FirstOffset + i. The bytes (layout at
/// <see cref="RecordBatchBuilder"/>) belong to the batch for as long as anyone holds it and never change.
/// </summary>
public readonly record struct RecordBatch(
    TopicPartition Partition, long FirstOffset, int Count, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>No records, at an offset.</summary>
    public static RecordBatch None(TopicPartition partition, long offset) => new(partition, offset, 0, default);

    public long NextOffset => FirstOffset + Count;

    public Enumerator GetEnumerator() => new(Bytes.Span, FirstOffset);

    /// <summary>Walks the records without allocating; records were checked when they were read.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> rest, long firstOffset)
    {
        private ReadOnlySpan<byte> _rest = rest;
        private long _nextOffset = firstOffset;

        public RecordView Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;
            var size = 4 + (int)BinaryPrimitives.ReadUInt32LittleEndian(_rest);
            Current = new RecordView(_rest[..size], _nextOffset++);
            _rest = _rest[size..];
            return true;
        }
    }
}

/// <summary>One record within a batch: spans into the batch's bytes.</summary>
public readonly ref struct RecordView
{
    private readonly ReadOnlySpan<byte> _record;

    internal RecordView(ReadOnlySpan<byte> record, long offset)
    {
        _record = record;
        Offset = offset;
    }

    /// <summary>A record that was checked before, from its bytes alone.</summary>
    public static RecordView Of(ReadOnlySpan<byte> bytes, long offset) => new(bytes, offset);

    public long Offset { get; }

    /// <summary>The whole record as encoded.</summary>
    public ReadOnlySpan<byte> Bytes => _record;

    /// <summary>Enqueued time, in milliseconds since 1970 UTC.</summary>
    public long TimestampMs => BinaryPrimitives.ReadInt64LittleEndian(_record[8..]);

    public bool HasKey => KeyField >= 0;

    public ReadOnlySpan<byte> Key => _record.Slice(26, Math.Max(KeyField, 0));

    public int HeaderCount => BinaryPrimitives.ReadUInt16LittleEndian(_record[20..]);

    public ReadOnlySpan<byte> Value => _record[^BinaryPrimitives.ReadInt32LittleEndian(_record[22..])..];

    public HeaderEnumerable Headers => new(_record[(26 + Math.Max(KeyField, 0))..], HeaderCount);

    private int KeyField => BinaryPrimitives.ReadInt32LittleEndian(_record[16..]);

    /// <summary>The value of the last header of this name.</summary>
    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var found = false;
        foreach (var header in Headers)
        {
            if (!header.Name.SequenceEqual(name)) continue;
            value = header.Value;
            found = true;
        }

        return found;
    }

    /// <summary>
    /// The size of the whole record at the start of <paramref name="bytes"/> when its length, fields and CRC hold;
    /// 0 when the bytes end before it does; -1 when it is damaged.
    /// </summary>
    public static int Check(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4) return 0;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (length is < 22 or > int.MaxValue - 4) return -1;
        if (bytes.Length - 4 < length) return 0;
        var record = bytes[..(4 + (int)length)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) != Crc32C.Compute(record[8..])) return -1;
        return record.Length;
    }

    public readonly ref struct Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        public ReadOnlySpan<byte> Name { get; } = name;
        public ReadOnlySpan<byte> Value { get; } = value;
    }

    public ref struct HeaderEnumerable(ReadOnlySpan<byte> rest, int count)
    {
        private ReadOnlySpan<byte> _rest = rest;
        private int _left = count;

        public Header Current { get; private set; }

        public readonly HeaderEnumerable GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_left-- <= 0) return false;
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
            var valueLength = BinaryPrimitives.ReadInt32LittleEndian(_rest[2..]);
            Current = new Header(_rest.Slice(6, nameLength), _rest.Slice(6 + nameLength, valueLength));
            _rest = _rest[(6 + nameLength + valueLength)..];
            return true;
        }
    }
}
