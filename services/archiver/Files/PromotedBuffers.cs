using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>The promoted columns of the rows of a chunk.</summary>
internal sealed unsafe class PromotedBuffers
{
    private readonly IReadOnlyList<PromotedColumn> _columns;
    private readonly FieldReader _reader;
    private readonly FieldValue[] _values;
    private readonly NumberRange[] _ranges;
    private readonly List<byte[]> _texts = [];

    public PromotedBuffers(IReadOnlyList<PromotedColumn> columns)
    {
        _columns = columns;
        _reader = new FieldReader(columns);
        _values = new FieldValue[columns.Count];
        _ranges = new NumberRange[columns.Count];
        Buffers = [.. columns.Select(BufferOf)];
    }

    public IReadOnlyList<ColumnBuffer> Buffers { get; }

    public void BeginFile()
    {
        _texts.Clear();
        Array.Fill(_ranges, new NumberRange(double.PositiveInfinity, double.NegativeInfinity,
            long.MaxValue, long.MinValue));
    }

    public void Add(ReadOnlySpan<byte> body)
    {
        _reader.Read(body, _values);
        for (var i = 0; i < _values.Length; i++) Add(i, ref _values[i], body);
    }

    public IEnumerable<ColumnStats> Stats() => _columns.Select((column, i) =>
    {
        var range = _ranges[i];
        return column.Type switch
        {
            PromotedType.Double when range.DoubleMin <= range.DoubleMax =>
                new ColumnStats(column.Name, range.DoubleMin, range.DoubleMax, Buffers[i].NullCount),
            PromotedType.BigInt when range.LongMin <= range.LongMax =>
                new ColumnStats(column.Name, range.LongMin, range.LongMax, Buffers[i].NullCount),
            _ => new ColumnStats(column.Name, null, null, Buffers[i].NullCount),
        };
    });

    private void Add(int i, ref FieldValue value, ReadOnlySpan<byte> body)
    {
        if (!value.Has)
        {
            Buffers[i].AddNull();
            return;
        }

        ref var range = ref _ranges[i];
        switch (_columns[i].Type)
        {
            case PromotedType.Double:
                ((ColumnBuffer<double>)Buffers[i]).Add(value.Double);
                range.DoubleMin = Math.Min(range.DoubleMin, value.Double);
                range.DoubleMax = Math.Max(range.DoubleMax, value.Double);
                break;
            case PromotedType.BigInt:
                ((ColumnBuffer<long>)Buffers[i]).Add(value.Long);
                range.LongMin = Math.Min(range.LongMin, value.Long);
                range.LongMax = Math.Max(range.LongMax, value.Long);
                break;
            case PromotedType.Timestamp:
                ((ColumnBuffer<long>)Buffers[i]).Add(value.Long);
                break;
            case PromotedType.Bool:
                ((ColumnBuffer<bool>)Buffers[i]).Add(value.Long != 0);
                break;
            case PromotedType.String:
                ((ColumnBuffer<ByteArray>)Buffers[i]).Add(TextOf(ref value, body));
                break;
        }
    }

    private ByteArray TextOf(ref FieldValue value, ReadOnlySpan<byte> body)
    {
        if (value.Text is null)
            return new ByteArray((IntPtr)(RecordArena.AddressOf(body) + value.Start), value.Length);

        // The encoder reads it after this returns, so it needs a place that does not move until the file is done.
        var place = GC.AllocateUninitializedArray<byte>(value.Text.Length, pinned: true);
        value.Text.CopyTo(place, 0);
        _texts.Add(place);
        return new ByteArray((IntPtr)RecordArena.AddressOf(place), place.Length);
    }

    private static ColumnBuffer BufferOf(PromotedColumn column) => column.Type switch
    {
        PromotedType.Double => new ColumnBuffer<double>(nullable: true),
        PromotedType.BigInt or PromotedType.Timestamp => new ColumnBuffer<long>(nullable: true),
        PromotedType.Bool => new ColumnBuffer<bool>(nullable: true),
        PromotedType.String => new ColumnBuffer<ByteArray>(nullable: true),
        _ => throw new InvalidOperationException($"No buffer for {column.Type}."),
    };

    private record struct NumberRange(double DoubleMin, double DoubleMax, long LongMin, long LongMax);
}
