using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Millrace.Contracts;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Decoding;

/// <summary>
/// Neighbouring records of a partition, decoded for all that read them. While somebody uses them they do not change;
/// then they are filled anew. Who uses them, and whether they are filled, is for <see cref="SharedBodies"/> and under
/// its lock.
/// </summary>
/// <param name="bytesMax">How much the values may have, and about as much their unescaped texts.</param>
internal sealed class DecodedRows(long bytesMax)
{
    private TextArena _arena = new();
    private JsonRowReader? _reader;
    private Value[] _row = [];
    private Value[] _values = [];
    private uint?[] _checks = [];
    private int _valuesUsed;

    public FieldUnion Union { get; private set; } = null!;

    public long First { get; private set; } = long.MinValue;

    public long Next { get; private set; } = long.MinValue;

    public int Users { get; set; }

    public bool IsFilled { get; set; }

    public bool Has(long offset) => offset >= First && offset < Next;

    /// <summary>Which they are about to hold: as many as there is room for. Who says so uses them.</summary>
    public void Begin(FieldUnion union, long first, long count)
    {
        if (Union != union || _arena.Capacity > bytesMax)
        {
            (Union, _arena, _row) = (union, new TextArena(), new Value[union.Width]);
            _reader = new JsonRowReader(union.Root, _row, _arena, isStrict: true);
        }

        var most = Math.Max(1, bytesMax / ((union.Width + 1) * Unsafe.SizeOf<Value>()));
        (First, Next, Users, IsFilled) = (first, first + Math.Min(count, most), 1, false);
    }

    /// <summary>
    /// What is no plain JSON object, or has a number that does not fit, is left for each to read alone.
    /// </summary>
    /// <param name="batch">Has all the records.</param>
    /// <param name="array">What the bytes of the batch lie in.</param>
    public void Fill(RecordBatch batch, byte[] array)
    {
        var (count, width) = ((int)(Next - First), Union.Width);
        if (_checks.Length < count) _checks = new uint?[count];
        if (_values.Length < count * width) (_values, _valuesUsed) = (new Value[count * width], 0);
        _arena.WindBack(0);
        ref var arrayStart = ref MemoryMarshal.GetArrayDataReference(array);
        foreach (var record in batch)
        {
            if (record.Offset >= Next) break;
            if (record.Offset < First) continue;
            var row = (int)(record.Offset - First);
            var body = record.Value;
            var isRead = JsonScanner.FirstToken(body) == '{' && Utf8.IsValid(body) && _reader!.TryRead(array,
                (int)Unsafe.ByteOffset(ref arrayStart, ref MemoryMarshal.GetReference(body)), body.Length);
            _checks[row] = isRead ? CheckOf(record) : null;
            if (!isRead) _row.AsSpan().Clear();
            _row.CopyTo(_values.AsSpan(row * width));
        }

        // What stays from before would keep the batches that it was read from.
        if (_valuesUsed > count * width) _values.AsSpan((count * width).._valuesUsed).Clear();
        _valuesUsed = count * width;
    }

    /// <summary>False when the record is to be read alone.</summary>
    public bool TryCopy(in RecordView record, (int Own, int Shared)[] places, Value[] slots)
    {
        var row = (int)(record.Offset - First);
        if (_checks[row] != CheckOf(record)) return false;
        var values = _values.AsSpan(row * Union.Width, Union.Width);
        foreach (var (own, shared) in places) slots[own] = values[shared];
        return true;
    }

    /// <summary>
    /// The checksum that the record carries: a topic that was made anew has other records at its offsets.
    /// </summary>
    private static uint CheckOf(in RecordView record) => BinaryPrimitives.ReadUInt32LittleEndian(record.Bytes[4..]);
}
