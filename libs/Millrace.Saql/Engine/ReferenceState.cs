using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// A stream joined with reference data: a row for each entry that fits. The entries are part of the state, so that what
/// was answered with them is answered so again.
/// </summary>
internal sealed class ReferenceState : OperatorState
{
    private readonly ReferencePlan _plan;
    private IReadOnlyList<byte[]> _entries = [];
    private long _bytes;
    private Snapshot? _snapshot;
    private readonly Value[] _values;
    private readonly int[] _leftSlots;
    private readonly int[] _rightSlots;

    public ReferenceState(ReferencePlan plan, EngineContext context) : base(plan, context)
    {
        _plan = plan;
        (_leftSlots, _rightSlots) = ([.. plan.Left.Slots], [.. plan.Right.Slots]);
        _values = new Value[_leftSlots.Length];
    }

    public string Name => _plan.Data.Name;

    public override InletState CreateInlet(Inlet inlet) => new ReferenceInletState(this, (JoinInlet)inlet);

    public override long StateBytes => _bytes;

    /// <param name="entries">JSON objects, each in an array of its own.</param>
    public EntriesLeftOut Load(IReadOnlyList<byte[]> entries)
    {
        (_entries, _snapshot) = (entries, new Snapshot(_plan, entries, Frame));
        _bytes = entries.Sum(entry => (long)entry.Length);
        return _snapshot.LeftOut;
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_entries.Count);
        foreach (var entry in _entries) writer.Write(entry);
    }

    public override void Restore(ref StateReader reader)
    {
        var entries = new List<byte[]>();
        for (var left = reader.ReadCount(); left > 0; left--) entries.Add(reader.ReadBytes().ToArray());
        Load(entries);
    }

    private void Take(JoinInlet inlet, CarriedReader reader)
    {
        if (!reader.TryRead(Frame, Context, _values, out var hash, out var isKnown)) return;
        var mark = Frame.Mark();
        var origin = mark.Origin;
        origin.Settle();
        Put(_values, _leftSlots);
        var hasMet = false;
        if (isKnown && _snapshot is { } snapshot)
        {
            var entries = snapshot.Find(hash);
            for (var i = 0; i < entries.Count; i++)
                hasMet |= Meet(entries[i], origin.Derived(_plan.Number, (i * 64L) + inlet.Index));
        }

        if (!hasMet && _plan.IsOuter)
        {
            foreach (var slot in _rightSlots) Root.Slots[slot] = Value.Null;
            Frame.Origin = origin.Derived(_plan.Number, -2 - inlet.Index);
            Root.Dispatch();
        }

        Frame.ComeBack(mark);
    }

    private bool Meet(Value[] entry, in RowOrigin origin)
    {
        Put(entry, _rightSlots);
        Frame.Slots = Root.Slots;
        Frame.Origin = origin;
        Frame.NextRow();
        Frame.ClearFailure();
        var fits = _plan.Condition.Test(Frame) == Truth.True;
        if (Frame.Failure is not null) Context.ReportFailure();
        else if (fits) Root.Dispatch();
        return fits;
    }

    private void Put(Value[] values, int[] slots)
    {
        for (var i = 0; i < values.Length; i++) Root.Slots[slots[i]] = values[i];
    }

    /// <summary>Entries with the values that are read of them, by the hash of their keys.</summary>
    private sealed class Snapshot
    {
        private static readonly List<Value[]> None = [];

        private readonly Dictionary<uint, List<Value[]>> _byHash = [];

        public Snapshot(ReferencePlan plan, IReadOnlyList<byte[]> entries, Frame frame)
        {
            var slots = new Value[plan.Data.SlotCount];
            // Text without its escapes is made here and must stay.
            var reader = new JsonRowReader(plan.Data.Fields, slots, new TextArena());
            var mark = frame.Mark();
            Expr[] values = [.. plan.Right.Values(0)];
            foreach (var entry in entries)
            {
                if (!reader.TryRead(entry, 0, entry.Length))
                {
                    LeftOut += new EntriesLeftOut(1, "It is no JSON object.");
                    continue;
                }

                frame.Slots = slots;
                frame.NextRow();
                frame.ClearFailure();
                var isKnown = LookupHash.TryOf(plan.Keys, frame, out var hash);
                if (frame.Failure is { } failure)
                    LeftOut += new EntriesLeftOut(1, EngineContext.TextOf(failure, frame.FailureReason));
                if (!isKnown) continue;
                var row = new Value[values.Length];
                for (var i = 0; i < row.Length; i++) row[i] = Kept(values[i].Evaluate(frame), entry);
                if (!_byHash.TryGetValue(hash == 0 ? 1 : hash, out var same)) _byHash[hash == 0 ? 1 : hash] = same = [];
                same.Add(row);
            }

            frame.ClearFailure();
            frame.ComeBack(mark);
        }

        public EntriesLeftOut LeftOut { get; }

        public List<Value[]> Find(uint hash) => _byHash.GetValueOrDefault(hash, None);

        private static Value Kept(in Value value, byte[] entry) => value.HasBytes && value.Bytes != entry
            ? Value.Slice(value.Kind, value.Utf8.ToArray(), 0, value.Length)
            : value;
    }

    private sealed class ReferenceInletState(ReferenceState join, JoinInlet plan) : InletState
    {
        private readonly CarriedReader _reader = new(plan);

        public override void Take() => join.Take(plan, _reader);
    }
}
