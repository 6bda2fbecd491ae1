using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The numbers among the last rows that are, or can still become, the least (or the greatest): each is better than all
/// that came behind it. The first of equal ones counts.
/// </summary>
internal sealed class ExtremeQueue(bool isLeast)
{
    private (long Row, Value Value)[] _ring = new (long, Value)[4];
    private int _first;
    private int _count;

    public long Bytes => _ring.Length * 32L;

    public Value First => _count == 0 ? Value.Null : _ring[_first].Value;

    public void Add(long row, in Value value)
    {
        while (_count > 0 && IsBetter(value, At(_count - 1).Value)) _count--;
        if (_count == _ring.Length) Grow();
        At(_count++) = (row, value);
    }

    /// <summary>The row is gone, if it is not already because a better one came.</summary>
    public void Remove(long row)
    {
        if (_count == 0 || _ring[_first].Row != row) return;
        _first = (_first + 1) % _ring.Length;
        _count--;
    }

    public void Clear() => (_first, _count) = (0, 0);

    private bool IsBetter(in Value value, in Value than) =>
        Comparison.TryCompare(value, than, out var order) && (isLeast ? order < 0 : order > 0);

    private ref (long Row, Value Value) At(int index) => ref _ring[(_first + index) % _ring.Length];

    private void Grow()
    {
        var grown = new (long, Value)[_ring.Length * 2];
        for (var i = 0; i < _count; i++) grown[i] = At(i);
        (_ring, _first) = (grown, 0);
    }
}
