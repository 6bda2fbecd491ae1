using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>ISFIRST: which partitions had a row in the interval, whose bounds are those of a tumbling window.</summary>
internal sealed class FirstState : AnalyticState
{
    private readonly WindowSpec _interval;
    private FirstMemory _kept;

    public FirstState(AnalyticPlan plan, EngineContext context) : base(plan, context)
    {
        _interval = new WindowSpec(null, plan.Duration, plan.Duration, 0);
        Enter(new FirstMemory());
    }

    public override Memory NewMemory() => new FirstMemory();

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory) => _kept = (FirstMemory)memory;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        if (!isTaken) return Value.Of(0L);
        if (Frame.Origin.Timestamp > _kept.End)
        {
            _kept.End = _interval.FirstEnd(Frame.Origin.Timestamp);
            _kept.Seen.Clear();
        }

        _kept.Seen.FindOrAdd(key, 0, out var isFirst);
        return Value.Of(isFirst ? 1L : 0L);
    }

    public override long StateBytes => _kept.StateBytes;

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.End);
        writer.Write(_kept.Seen.Count);
        for (var i = 0; i < _kept.Seen.Count; i++) writer.Write(_kept.Seen.Key(i));
    }

    public override void Restore(ref StateReader reader)
    {
        _kept.Seen.Clear();
        _kept.End = reader.ReadInt64();
        for (var left = reader.ReadCount(); left > 0; left--) _kept.Seen.FindOrAdd(reader.ReadBytes(), 0, out _);
    }

    private sealed class FirstMemory : Memory
    {
        public GroupTable Seen { get; } = new(wordsPerGroup: 0);

        /// <summary>Of the interval.</summary>
        public long End { get; set; } = long.MinValue;

        public override long StateBytes => Seen.StateBytes;

        public override bool IsEmptyAt(long time)
        {
            if (time > End) Seen.Clear();
            return Seen.Count == 0;
        }
    }
}
