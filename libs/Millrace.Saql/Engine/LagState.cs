using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>LAG and LAST: of each partition the last few values.</summary>
internal sealed class LagState : AnalyticState
{
    private readonly Spares<LastValues> _spares = new();
    private readonly int _count;
    private TableMemory<LastValues> _kept;

    public LagState(AnalyticPlan plan, EngineContext context) : base(plan, context)
    {
        _count = Math.Max(1, plan.Offset);
        Enter(NewMemory());
    }

    public override Memory NewMemory() => new TableMemory<LastValues>(_spares, Plan.Duration);

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory) => _kept = (TableMemory<LastValues>)memory;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        _kept.Entries.RemoveUpTo(now - Plan.Duration);
        var current = isTaken ? inlet.Argument.Evaluate(Frame) : Value.Null;
        if (Plan.Offset == 0 && isTaken)
        {
            Keep(key, now, current);
            return current;
        }

        var found = Value.Null;
        var isFound = _kept.Entries.Find(key)?.TryFind(_count, now - Plan.Duration, out found) ?? false;
        // The value's bytes are used again by the row that is kept now.
        if (isFound && found.HasBytes) found = Frame.Arena.Add(found.Utf8, found.Kind);
        if (isTaken) Keep(key, now, current);
        return isFound ? found : inlet.Otherwise.Evaluate(Frame);
    }

    public override long StateBytes => _kept.StateBytes;

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.Entries.Count);
        foreach (var entry in _kept.Entries.InOrder)
        {
            writer.Write(entry.Key);
            writer.Write(entry.UsedAt);
            entry.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _kept.Entries.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var key = reader.ReadBytes();
            var entry = _kept.Entries.Use(key, reader.ReadInt64());
            var before = entry.ValueBytes;
            entry.Restore(ref reader, _count);
            _kept.Entries.Grew(entry.ValueBytes - before);
        }
    }

    private void Keep(ReadOnlySpan<byte> key, long now, in Value value)
    {
        if (Frame.Failure is not null) return;
        var entry = _kept.Entries.Use(key, now);
        var before = entry.ValueBytes;
        entry.Keep(now, value, _count);
        _kept.Entries.Grew(entry.ValueBytes - before);
    }
}
