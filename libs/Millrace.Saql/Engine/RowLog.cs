using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A row that was kept: where it came from, and where its values lie.</summary>
internal struct LoggedRow
{
    public long Time;
    public int Source;
    public long Offset;
    public int Element;
    public ulong Trail;
    public bool SeveralDevices;

    /// <summary>
    /// For a join: which way it came, what it is looked up by, until when it is needed, whether it met.
    /// </summary>
    public int Inlet;
    public uint Hash;
    public long Expiry;
    public bool HasMet;
    public RowChunk Chunk;
    public int Start;
    public int Length;

    /// <summary>The next row of the same key; -1 when there is none yet.</summary>
    public long Next;

    public readonly ReadOnlySpan<byte> Bytes => Chunk.Bytes.AsSpan(Start, Length);
}

/// <summary>
/// Rows in the order in which they came, numbered, until the oldest are taken away. In the steady state nothing is
/// allocated.
/// </summary>
/// <param name="chunks">Where their bytes lie, perhaps with those of other logs.</param>
internal sealed class RowLog(RowChunks chunks)
{
    private const int RowBytes = 112;
    private const int RowsMin = 4;

    private LoggedRow[] _rows = new LoggedRow[RowsMin];

    /// <summary>The number of the oldest row that is kept.</summary>
    public long First { get; private set; }

    /// <summary>The number that the next row gets.</summary>
    public long Next { get; private set; }

    public int Count => (int)(Next - First);

    public long StateBytes { get; private set; }

    public ref LoggedRow this[long number] => ref _rows[number & (_rows.Length - 1)];

    /// <summary>Copies the row's origin and values.</summary>
    public long Append(in RowOrigin origin, ReadOnlySpan<Value> values, ReadOnlySpan<Value> moreValues = default)
    {
        var size = ValueCodec.Size(origin.Device) + SizeOf(values) + SizeOf(moreValues);
        var target = chunks.Room(size);
        var at = ValueCodec.Write(target, origin.Device);
        foreach (ref readonly var value in values) at += ValueCodec.Write(target[at..], value);
        foreach (ref readonly var value in moreValues) at += ValueCodec.Write(target[at..], value);
        ref var row = ref Add(size);
        row.Time = origin.Timestamp;
        row.Source = origin.Source;
        row.Offset = origin.Offset;
        row.Element = origin.Element;
        row.Trail = origin.Trail;
        row.SeveralDevices = origin.SeveralDevices;
        return Next - 1;
    }

    public void RemoveFirst()
    {
        ref var row = ref this[First++];
        var chunk = row.Chunk;
        StateBytes -= row.Length + RowBytes;
        row = default;
        chunks.Release(chunk);
    }

    /// <summary>Reads the values back, and gives the origin.</summary>
    public RowOrigin Read(long number, Span<Value> values, Span<Value> moreValues = default)
    {
        ref readonly var row = ref this[number];
        var at = row.Start;
        var bytes = row.Chunk.Bytes;
        var device = ValueCodec.Read(bytes, ref at);
        for (var i = 0; i < values.Length; i++) values[i] = ValueCodec.Read(bytes, ref at);
        for (var i = 0; i < moreValues.Length; i++) moreValues[i] = ValueCodec.Read(bytes, ref at);
        return new RowOrigin
        {
            Timestamp = row.Time,
            Source = row.Source,
            Offset = row.Offset,
            Element = row.Element,
            Trail = row.Trail,
            SeveralDevices = row.SeveralDevices,
            Device = device,
        };
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        for (var number = First; number < Next; number++) Save(writer, this[number]);
    }

    public void Restore(ref StateReader reader, int sources)
    {
        while (Count > 0) RemoveFirst();
        for (var left = reader.ReadCount(); left > 0; left--) Restore(ref reader, Next, sources);
    }

    private static void Save(StateWriter writer, in LoggedRow row)
    {
        writer.Write(row.Time);
        writer.Write(row.Source);
        writer.Write(row.Offset);
        writer.Write(row.Element);
        writer.Write((long)row.Trail);
        writer.Write((row.SeveralDevices ? 1 : 0) | (row.HasMet ? 2 : 0));
        writer.Write(row.Inlet);
        writer.Write((int)row.Hash);
        writer.Write(row.Expiry);
        writer.Write(row.Bytes);
    }

    private void Restore(ref StateReader reader, long number, int sources)
    {
        var (time, source, offset) = (reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64());
        var (element, trail, flags) = (reader.ReadInt32(), (ulong)reader.ReadInt64(), reader.ReadInt32());
        var (inlet, hash, expiry) = (reader.ReadInt32(), (uint)reader.ReadInt32(), reader.ReadInt64());
        var bytes = reader.ReadBytes();
        if ((uint)source >= (uint)sources) throw reader.Damaged();
        bytes.CopyTo(chunks.Room(bytes.Length));
        Add(bytes.Length);
        ref var row = ref this[number];
        (row.Time, row.Source, row.Offset, row.Element) = (time, source, offset, element);
        (row.Trail, row.SeveralDevices, row.HasMet) = (trail, (flags & 1) != 0, (flags & 2) != 0);
        (row.Inlet, row.Hash, row.Expiry) = (inlet, hash, expiry);
    }

    private static int SizeOf(ReadOnlySpan<Value> values)
    {
        var size = 0;
        foreach (ref readonly var value in values) size += ValueCodec.Size(value);
        return size;
    }

    private ref LoggedRow Add(int size)
    {
        if (Count == _rows.Length) Grow();
        ref var row = ref this[Next++];
        row.Chunk = chunks.Take(size, out row.Start);
        row.Length = size;
        row.Next = -1;
        StateBytes += size + RowBytes;
        return ref row;
    }

    private void Grow()
    {
        var rows = new LoggedRow[_rows.Length * 2];
        for (var number = First; number < Next; number++) rows[number & (rows.Length - 1)] = this[number];
        _rows = rows;
    }
}
