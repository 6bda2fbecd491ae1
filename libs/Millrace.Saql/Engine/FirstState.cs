using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>ISFIRST: which partitions had a row in the interval, whose bounds are those of a tumbling window.</summary>
internal sealed class FirstState(AnalyticPlan plan, EngineContext context) : AnalyticState(plan, context)
{
    private readonly WindowSpec _interval = new(null, plan.Duration, plan.Duration, 0);
    private readonly HashSet<byte[]> _seen = new(KeyBytes.Comparer);
    private long _end = long.MinValue;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        if (!isTaken) return Value.Of(0L);
        if (Frame.Origin.Timestamp > _end)
        {
            _end = _interval.FirstEnd(Frame.Origin.Timestamp);
            _seen.Clear();
        }

        return Value.Of(_seen.GetAlternateLookup<ReadOnlySpan<byte>>().Add(key) ? 1L : 0L);
    }

    public override long StateBytes => _seen.Count * 64L;

    public override void Save(StateWriter writer)
    {
        writer.Write(_end);
        writer.Write(_seen.Count);
        foreach (var key in _seen) writer.Write(key);
    }

    public override void Restore(ref StateReader reader)
    {
        _seen.Clear();
        _end = reader.ReadInt64();
        for (var left = reader.ReadCount(); left > 0; left--) _seen.Add(reader.ReadBytes().ToArray());
    }
}
