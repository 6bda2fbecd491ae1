using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>LAG and LAST: of each partition the last few values.</summary>
internal sealed class LagState(AnalyticPlan plan, EngineContext context) : AnalyticState(plan, context)
{
    private readonly KeyTable<LastValues> _entries = new();
    private readonly int _kept = Math.Max(1, plan.Offset);

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        _entries.RemoveUpTo(now - Plan.Duration);
        var current = isTaken ? inlet.Argument.Evaluate(Frame) : Value.Null;
        if (Plan.Offset == 0 && isTaken)
        {
            Keep(key, now, current);
            return current;
        }

        var found = Value.Null;
        var isFound = _entries.Find(key)?.TryFind(Math.Max(1, Plan.Offset), now - Plan.Duration, out found) ?? false;
        // The value's bytes are used again by the row that is kept now.
        if (isFound && found.HasBytes) found = Frame.Arena.Add(found.Utf8, found.Kind);
        if (isTaken) Keep(key, now, current);
        return isFound ? found : inlet.Otherwise.Evaluate(Frame);
    }

    public override long StateBytes => _entries.StateBytes;

    public override void Save(StateWriter writer)
    {
        writer.Write(_entries.Count);
        foreach (var entry in _entries.InOrder)
        {
            writer.Write(entry.Key);
            writer.Write(entry.UsedAt);
            entry.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _entries.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var key = reader.ReadBytes();
            var entry = _entries.Use(key, reader.ReadInt64());
            var before = entry.ValueBytes;
            entry.Restore(ref reader, _kept);
            _entries.Grew(entry.ValueBytes - before);
        }
    }

    private void Keep(ReadOnlySpan<byte> key, long now, in Value value)
    {
        if (Frame.Failure is not null) return;
        var entry = _entries.Use(key, now);
        var before = entry.ValueBytes;
        entry.Keep(now, value, _kept);
        _entries.Grew(entry.ValueBytes - before);
    }
}
