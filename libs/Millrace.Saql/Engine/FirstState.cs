using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>ISFIRST: which partitions had a row in the interval, whose bounds are those of a tumbling window.</summary>
internal sealed class FirstState(AnalyticPlan plan, EngineContext context) : AnalyticState(plan, context)
{
    private readonly WindowSpec _interval = new(null, plan.Duration, plan.Duration, 0);
    private readonly GroupTable _seen = new(wordsPerGroup: 0);
    private long _end = long.MinValue;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        if (!isTaken) return Value.Of(0L);
        if (Frame.Origin.Timestamp > _end)
        {
            _end = _interval.FirstEnd(Frame.Origin.Timestamp);
            _seen.Clear();
        }

        _seen.FindOrAdd(key, 0, out var isFirst);
        return Value.Of(isFirst ? 1L : 0L);
    }

    public override long StateBytes => _seen.StateBytes;

    public override void Save(StateWriter writer)
    {
        writer.Write(_end);
        writer.Write(_seen.Count);
        for (var i = 0; i < _seen.Count; i++) writer.Write(_seen.Key(i));
    }

    public override void Restore(ref StateReader reader)
    {
        _seen.Clear();
        _end = reader.ReadInt64();
        for (var left = reader.ReadCount(); left > 0; left--) _seen.FindOrAdd(reader.ReadBytes(), 0, out _);
    }
}
