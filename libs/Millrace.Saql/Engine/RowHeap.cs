using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A row that waits for the watermark: its place in the order, and where its values lie.</summary>
internal readonly record struct WaitingRow(
    long Timestamp, int Source, long Offset, int Element, int Feed, RowChunk Chunk, int Start, int Length)
{
    public bool IsBefore(in WaitingRow other)
    {
        if (Timestamp != other.Timestamp) return Timestamp < other.Timestamp;
        if (Source != other.Source) return Source < other.Source;
        if (Offset != other.Offset) return Offset < other.Offset;
        return Element != other.Element ? Element < other.Element : Feed < other.Feed;
    }

    public ReadOnlySpan<byte> Bytes => Chunk.Bytes.AsSpan(Start, Length);

    /// <summary>Where it comes from; the device is among its values.</summary>
    public RowOrigin OriginOf(Value device) => new()
    {
        Timestamp = Timestamp,
        Source = Source,
        Offset = Offset,
        Element = Element,
        Device = device,
    };
}

/// <summary>
/// The rows that wait, least first: by (timestamp, source, offset, element), where sources are ordered by topic and
/// partition. In order rows go in at constant cost.
/// </summary>
/// <param name="chunks">Where their bytes lie, perhaps with those of other heaps.</param>
internal sealed class RowHeap(RowChunks chunks)
{
    private const int RowBytes = 64;
    private const int RowsMin = 4;

    private WaitingRow[] _rows = new WaitingRow[RowsMin];

    public int Count { get; private set; }

    public long StateBytes { get; private set; }

    public ref readonly WaitingRow First => ref _rows[0];

    /// <summary>Copies the device and the values of a row.</summary>
    public void Push(in RowOrigin origin, int feed, ReadOnlySpan<Value> slots) =>
        Push(Keep(chunks, origin, feed, slots));

    /// <summary>Takes a row that <see cref="Write"/> wrote.</summary>
    public void Push(in RowOrigin origin, int feed, ReadOnlySpan<byte> row) => Push(Keep(chunks, origin, feed, row));

    /// <summary>Takes a row whose bytes lie in this heap's chunks already.</summary>
    public void Push(in WaitingRow row)
    {
        if (Count == _rows.Length) Array.Resize(ref _rows, Count * 2);
        StateBytes += row.Length + RowBytes;
        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (!row.IsBefore(_rows[parent])) break;
            _rows[at] = _rows[parent];
            at = parent;
        }

        _rows[at] = row;
    }

    /// <summary>A copy of the device and the values of a row.</summary>
    public static WaitingRow Keep(RowChunks chunks, in RowOrigin origin, int feed, ReadOnlySpan<Value> slots)
    {
        var size = SizeOf(origin, slots);
        Write(chunks.Room(size), origin, slots);
        return Keep(chunks, origin, feed, size);
    }

    /// <summary>A copy of a row that <see cref="Write"/> wrote.</summary>
    public static WaitingRow Keep(RowChunks chunks, in RowOrigin origin, int feed, ReadOnlySpan<byte> row)
    {
        row.CopyTo(chunks.Room(row.Length));
        return Keep(chunks, origin, feed, row.Length);
    }

    public static int SizeOf(in RowOrigin origin, ReadOnlySpan<Value> slots)
    {
        var size = ValueCodec.Size(origin.Device);
        foreach (ref readonly var value in slots) size += ValueCodec.Size(value);
        return size;
    }

    /// <summary>The row's device and values.</summary>
    public static void Write(Span<byte> target, in RowOrigin origin, ReadOnlySpan<Value> slots)
    {
        var at = ValueCodec.Write(target, origin.Device);
        foreach (ref readonly var value in slots) at += ValueCodec.Write(target[at..], value);
    }

    /// <summary>Takes the least row away. Its bytes stay good until the next push.</summary>
    public WaitingRow Pop()
    {
        var least = _rows[0];
        var last = _rows[--Count];
        _rows[Count] = default;
        if (Count > 0) SiftDown(last);
        StateBytes -= least.Length + RowBytes;
        chunks.Release(least.Chunk);
        return least;
    }

    /// <summary>Reads back what <see cref="Write"/> wrote.</summary>
    public static Value Read(in WaitingRow row, Span<Value> slots)
    {
        var at = row.Start;
        var device = ValueCodec.Read(row.Chunk.Bytes, ref at);
        for (var i = 0; i < slots.Length; i++) slots[i] = ValueCodec.Read(row.Chunk.Bytes, ref at);
        return device;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        for (var i = 0; i < Count; i++) Save(writer, _rows[i]);
    }

    public void Restore(ref StateReader reader, int sources, int feeds)
    {
        for (var left = reader.ReadCount(); left > 0; left--) Push(Restore(ref reader, chunks, sources, feeds));
    }

    public static void Save(StateWriter writer, in WaitingRow row)
    {
        writer.Write(row.Timestamp);
        writer.Write(row.Source);
        writer.Write(row.Offset);
        writer.Write(row.Element);
        writer.Write(row.Feed);
        writer.Write(row.Bytes);
    }

    public static WaitingRow Restore(ref StateReader reader, RowChunks chunks, int sources, int feeds)
    {
        var origin = new RowOrigin
        {
            Timestamp = reader.ReadInt64(),
            Source = reader.ReadInt32(),
            Offset = reader.ReadInt64(),
            Element = reader.ReadInt32(),
        };
        var feed = reader.ReadInt32();
        var bytes = reader.ReadBytes();
        if ((uint)origin.Source >= (uint)sources || (uint)feed >= (uint)feeds) throw reader.Damaged();
        return Keep(chunks, origin, feed, bytes);
    }

    private static WaitingRow Keep(RowChunks chunks, in RowOrigin origin, int feed, int size)
    {
        var chunk = chunks.Take(size, out var start);
        return new WaitingRow(
            origin.Timestamp, origin.Source, origin.Offset, origin.Element, feed, chunk, start, size);
    }

    private void SiftDown(in WaitingRow row)
    {
        var at = 0;
        while (true)
        {
            var child = (at * 2) + 1;
            if (child >= Count) break;
            if (child + 1 < Count && _rows[child + 1].IsBefore(_rows[child])) child++;
            if (!_rows[child].IsBefore(row)) break;
            _rows[at] = _rows[child];
            at = child;
        }

        _rows[at] = row;
    }
}
