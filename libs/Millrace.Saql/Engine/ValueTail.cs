namespace Millrace.Saql.Engine;

/// <summary>The last numbers of a key, and where its martingale stands.</summary>
internal sealed class ValueTail : KeyEntry
{
    private const int ItemBytes = 24;

    private (long Time, double Value, double Logarithm)[] _ring = [];
    private int _next;
    private int _count;

    public override long ValueBytes => _ring.Length * ItemBytes;

    /// <summary>The logarithm of the martingale with the last value.</summary>
    public double Logarithm => _count == 0 ? 0 : At(_count - 1).Logarithm;

    /// <param name="countMax">How many are kept.</param>
    public void Keep(long time, double value, double logarithm, int countMax)
    {
        if (_count == _ring.Length && _count < countMax) Grow(countMax);
        _ring[_next] = (time, value, logarithm);
        _next = (_next + 1) % _ring.Length;
        _count = Math.Min(_count + 1, _ring.Length);
    }

    /// <summary>The values behind a time, oldest first.</summary>
    public void CopyTo(List<double> values, long after)
    {
        for (var i = 0; i < _count; i++)
        {
            if (At(i).Time > after) values.Add(At(i).Value);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_count);
        for (var i = 0; i < _count; i++)
        {
            ref readonly var item = ref At(i);
            writer.Write(item.Time);
            writer.Write(item.Value);
            writer.Write(item.Logarithm);
        }
    }

    protected override void Forget() => (_next, _count) = (0, 0);

    /// <param name="index">From the oldest.</param>
    private ref (long Time, double Value, double Logarithm) At(int index) =>
        ref _ring[(_next - _count + index + _ring.Length) % _ring.Length];

    private void Grow(int countMax)
    {
        var grown = new (long, double, double)[Math.Min(countMax, Math.Max(4, _ring.Length * 2))];
        for (var i = 0; i < _count; i++) grown[i] = At(i);
        (_ring, _next) = (grown, _count % grown.Length);
    }
}
