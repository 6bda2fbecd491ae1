using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// A join of two streams. A row meets those of the other side that came before it; a match has the time of the later
/// one. A row of the left that met none goes on when the last time at which it could have met one has passed.
/// </summary>
internal sealed class JoinState : OperatorState
{
    private readonly JoinPlan _plan;
    private readonly JoinBound[] _bounds;
    private readonly JoinSide _left;
    private readonly JoinSide _right;
    private readonly bool _separatePartitions;
    private JoinMemory _kept;

    public JoinState(JoinPlan plan, EngineContext context) : base(plan, context)
    {
        _plan = plan;
        _bounds = [.. plan.Bounds];
        _left = new JoinSide(plan.Left);
        _right = new JoinSide(plan.Right);
        _separatePartitions = plan.IsPartitionLocal && context.SeparatesPartitions;
        Enter(NewMemory());
    }

    public override Memory NewMemory() => new JoinMemory(_left.NewRows(), _right.NewRows());

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory)
    {
        base.Enter(memory);
        _kept = (JoinMemory)memory;
        (_left.Kept, _right.Kept) = (_kept.Left, _kept.Right);
    }

    public override InletState CreateInlet(Inlet inlet) => new JoinInletState(this, (JoinInlet)inlet);

    private void Take(JoinInletState inlet)
    {
        var plan = inlet.Plan;
        var (own, other) = plan.IsLeft ? (_left, _right) : (_right, _left);
        if (!inlet.TryRead(Frame, Context, own.Values, out var hash, out var isKnown)) return;
        var now = Frame.Origin.Timestamp;
        _left.Kept.RemoveBefore(now);
        _right.Kept.RemoveBefore(now);
        var mark = Frame.Mark();
        var origin = mark.Origin;
        origin.Settle();
        own.Put(Root.Slots);
        var hasMet = isKnown && Meet(plan, origin, other, hash);
        own.Put(Root.Slots);
        var expiry = Expiry(plan.IsLeft, now);
        var isAlone = plan.IsLeft && _plan.IsOuter && !hasMet;
        if (expiry < now)
        {
            if (isAlone) EmitAlone(origin, plan.Index, now);
        }
        else if (isKnown || isAlone)
        {
            var number = own.Add(origin, plan.Index, hash, isKnown, expiry, hasMet);
            if (isAlone) _kept.Waiting.Enqueue(number, (expiry, number));
        }

        Frame.ComeBack(mark);
        UpdateNextDue();
    }

    /// <summary>A row of the left can meet none any more.</summary>
    public override void CloseNext()
    {
        var due = NextDue;
        var number = _kept.Waiting.Dequeue();
        var mark = Frame.Mark();
        var origin = _left.Rows.Read(number, _left.Values);
        _left.Put(Root.Slots);
        _left.Rows[number].HasMet = true;
        EmitAlone(origin, _left.Rows[number].Inlet, due);
        Frame.ComeBack(mark);
        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        _left.Kept.Save(writer);
        _right.Kept.Save(writer);
    }

    public override void Restore(ref StateReader reader)
    {
        _left.Kept.Restore(ref reader, Context.Sources.Length);
        _right.Kept.Restore(ref reader, Context.Sources.Length);
        _kept.Waiting.Clear();
        for (var number = _left.Rows.First; _plan.IsOuter && number < _left.Rows.Next; number++)
        {
            ref readonly var row = ref _left.Rows[number];
            if (!row.HasMet) _kept.Waiting.Enqueue(number, (row.Expiry, number));
        }

        UpdateNextDue();
    }

    /// <summary>Makes a row with each row of the other side that fits; whether there was one.</summary>
    private bool Meet(JoinInlet inlet, in RowOrigin origin, JoinSide other, uint hash)
    {
        var ordinal = 0L;
        for (var number = other.Kept.FirstOf(hash == 0 ? 1 : hash); number >= 0; number = other.Rows[number].Next)
        {
            // Whether it was taken away yet depends on rows of other keys.
            if (other.Rows[number].Expiry < origin.Timestamp) continue;
            if (_separatePartitions && Context.Sources[other.Rows[number].Source].Partition
                != Context.Sources[origin.Source].Partition)
                continue;
            var found = other.Rows.Read(number, other.Values);
            other.Put(Root.Slots);
            Frame.Slots = Root.Slots;
            Frame.Origin = With(origin, found).Derived(_plan.Number, (ordinal * 64) + inlet.Index);
            Frame.NextRow();
            Frame.ClearFailure();
            var fits = _plan.Condition.Test(Frame) == Truth.True;
            if (Frame.Failure is not null) Context.ReportFailure();
            else if (fits)
            {
                ordinal++;
                other.Rows[number].HasMet = true;
                Root.Dispatch();
            }
        }

        return ordinal > 0;
    }

    private static RowOrigin With(in RowOrigin origin, in RowOrigin other)
    {
        var both = origin;
        var isSame = !origin.SeveralDevices && !other.SeveralDevices && origin.Device.IsNull == other.Device.IsNull
            && origin.Device.Utf8.SequenceEqual(other.Device.Utf8);
        if (isSame) return both;
        both.Device = Value.Null;
        both.SeveralDevices = true;
        return both;
    }

    private void EmitAlone(in RowOrigin origin, int inlet, long time)
    {
        _right.PutNulls(Root.Slots);
        Frame.Origin = origin.Derived(_plan.Number, -2 - inlet);
        Frame.Origin.Timestamp = time;
        Root.Dispatch();
    }

    /// <summary>Until when the row in the slots may meet others.</summary>
    private long Expiry(bool isLeft, long now)
    {
        var expiry = long.MaxValue;
        foreach (ref readonly var bound in _bounds.AsSpan())
            expiry = Math.Min(expiry, isLeft ? bound.LastRight(Root.Slots[bound.LeftTime].Ticks) : bound.LastLeft(now));
        return expiry;
    }

    private void UpdateNextDue()
    {
        while (_kept.Waiting.TryPeek(out var number, out _) && (number < _left.Rows.First || _left.Rows[number].HasMet))
            _kept.Waiting.Dequeue();
        NextDue = _kept.Waiting.TryPeek(out _, out var next) ? next.Expiry : long.MaxValue;
    }

    private sealed class JoinMemory(JoinRows left, JoinRows right) : Memory
    {
        public JoinRows Left => left;

        public JoinRows Right => right;

        /// <summary>Rows of the left that met none yet, of an outer join.</summary>
        public PriorityQueue<long, (long Expiry, long Number)> Waiting { get; } = new();

        public override bool IsWaiting => Waiting.Count > 0;

        public override long StateBytes => left.Log.StateBytes + right.Log.StateBytes;

        public override bool IsEmptyAt(long time)
        {
            left.RemoveBefore(time);
            right.RemoveBefore(time);
            return left.Log.Count == 0 && right.Log.Count == 0;
        }
    }

    private sealed class JoinInletState(JoinState join, JoinInlet plan) : InletState
    {
        private readonly CarriedReader _reader = new(plan);

        public JoinInlet Plan => plan;

        public bool TryRead(Frame frame, EngineContext context, Value[] values, out uint hash, out bool isKnown) =>
            _reader.TryRead(frame, context, values, out hash, out isKnown);

        public override void Take() => join.Take(this);
    }
}

/// <summary>Computes what an operator takes over from a row.</summary>
internal sealed class CarriedReader(JoinInlet plan)
{
    private readonly Expr[] _values = [.. plan.Values];

    /// <summary>False when the row does not come in, or fails.</summary>
    public bool TryRead(Frame frame, EngineContext context, Value[] values, out uint hash, out bool isKnown)
    {
        (hash, isKnown) = (0, false);
        frame.ClearFailure();
        foreach (var filter in plan.Filters)
        {
            if (filter.Test(frame) == Truth.True) continue;
            if (frame.Failure is not null) context.ReportFailure();
            return false;
        }

        for (var i = 0; i < _values.Length; i++) values[i] = _values[i].Evaluate(frame);
        isKnown = LookupHash.TryOf(plan.Keys, frame, out hash);
        if (hash == 0) hash = 1;
        if (frame.Failure is null) return true;
        context.ReportFailure();
        return false;
    }
}
