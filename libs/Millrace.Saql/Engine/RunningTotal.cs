using System.Runtime.CompilerServices;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// What an aggregate of the last rows of a key is, kept while rows come and go: a row costs the same however many there
/// are. It is exact, so that it is the same as one that is made anew of the rows.
/// </summary>
internal sealed class RunningTotal(AccumulatorKind kind)
{
    private readonly ExtremeQueue? _extremes =
        kind is AccumulatorKind.Min or AccumulatorKind.Max ? new ExtremeQueue(kind == AccumulatorKind.Min) : null;

    private long _rows;
    private long _values;
    private long _floats;

    /// <summary>Values that are no numbers, whose order may depend on what they are compared with.</summary>
    private long _others;
    private Int128 _whole;
    private ExactSum? _real;

    public static bool IsFor(AccumulatorKind kind) => kind is AccumulatorKind.CountRows or AccumulatorKind.Count
        or AccumulatorKind.Sum or AccumulatorKind.Min or AccumulatorKind.Max;

    /// <summary>About how much it holds.</summary>
    public long Bytes => 96 + (_real is null ? 0 : ExactSum.Bytes) + (_extremes?.Bytes ?? 0);

    /// <summary>False when the rows have to be looked at one by one.</summary>
    public bool IsKnown => _others == 0;

    public void Add(long row, in Value value)
    {
        _rows++;
        if (value.IsNull) return;
        _values++;
        if (value.Kind > ValueKind.Float) _others++;
        else if (_extremes is not null) _extremes.Add(row, value);
        else if (value.Kind != ValueKind.Float) _whole += value.Bits;
        else
        {
            _floats++;
            (_real ??= new ExactSum()).Add(value.Number);
        }
    }

    /// <summary>Takes the oldest row away.</summary>
    public void Remove(long row, in Value value)
    {
        _rows--;
        if (value.IsNull) return;
        _values--;
        if (value.Kind > ValueKind.Float) _others--;
        else if (_extremes is not null) _extremes.Remove(row);
        else if (value.Kind != ValueKind.Float) _whole -= value.Bits;
        else
        {
            _floats--;
            _real!.Remove(value.Number);
        }
    }

    public void Clear()
    {
        (_rows, _values, _floats, _others, _whole) = (0, 0, 0, 0, 0);
        _real?.Clear();
        _extremes?.Clear();
    }

    /// <summary>Gives the words of a group that has none of its own yet.</summary>
    /// <param name="words">The group's first.</param>
    public void Fill(in Accumulator accumulator, ref long words)
    {
        switch (kind)
        {
            case AccumulatorKind.CountRows:
                Unsafe.Add(ref words, accumulator.FirstWord) = _rows;
                break;
            case AccumulatorKind.Count:
                Unsafe.Add(ref words, accumulator.FirstWord) = _values;
                break;
            case AccumulatorKind.Sum:
                accumulator.FillSum(ref words, _values, _whole, _floats > 0 ? _real!.Value : null);
                break;
            default:
                accumulator.FillExtreme(ref words, _extremes!.First);
                break;
        }
    }
}
