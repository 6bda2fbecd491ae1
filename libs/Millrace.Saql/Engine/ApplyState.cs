using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A row for each element of an array or member of a record; with OUTER one for none.</summary>
internal sealed class ApplyState(ApplyPlan plan, EngineContext context) : OperatorState(plan, context)
{
    public override InletState CreateInlet(Inlet inlet) => new ApplyInletState(this, (ApplyInlet)inlet);

    private void Take(ApplyInlet inlet, Expr[] values)
    {
        Frame.ClearFailure();
        foreach (var filter in inlet.Filters)
        {
            if (filter.Test(Frame) == Truth.True) continue;
            if (Frame.Failure is not null) Context.ReportFailure();
            return;
        }

        for (var i = 0; i < values.Length; i++) Root.Slots[inlet.Side.Slots[i]] = values[i].Evaluate(Frame);
        var collection = inlet.Collection.Evaluate(Frame);
        if (Frame.Failure is not null)
        {
            Context.ReportFailure();
            return;
        }

        var mark = Frame.Mark();
        var origin = mark.Origin;
        origin.Settle();
        var count = collection.IsNull ? 0
            : plan.OfRecord ? Members(inlet, origin, collection)
            : Elements(inlet, origin, collection);
        if (count == 0 && plan.IsOuter) Emit(inlet, origin, 0, Value.Null, Value.Null);
        Frame.ComeBack(mark);
    }

    private long Elements(ApplyInlet inlet, in RowOrigin origin, in Value array)
    {
        var count = 0L;
        var used = Frame.Arena.Used;
        foreach (var element in JsonLookup.Elements(array))
        {
            Emit(inlet, origin, count, Value.Of(count), Frame.Checked(element.Read(Frame.Arena)));
            Frame.Arena.WindBack(used);
            count++;
        }

        return count;
    }

    private long Members(ApplyInlet inlet, in RowOrigin origin, in Value record)
    {
        var count = 0L;
        var used = Frame.Arena.Used;
        var superseded = JsonLookup.Superseded(record);
        foreach (var member in JsonLookup.Members(record))
        {
            if (superseded is not null && superseded.Contains(member.ValueStart)) continue;
            Emit(inlet, origin, count, Frame.Arena.Add(member.Name), Frame.Checked(member.Read(Frame.Arena)));
            Frame.Arena.WindBack(used);
            count++;
        }

        return count;
    }

    private void Emit(ApplyInlet inlet, in RowOrigin origin, long ordinal, in Value first, in Value second)
    {
        if (Frame.Failure is not null)
        {
            Context.ReportFailure();
            Frame.ClearFailure();
            return;
        }

        Root.Slots[plan.FirstSlot] = first;
        Root.Slots[plan.FirstSlot + 1] = second;
        Frame.Origin = origin.Derived(plan.Number, (ordinal * 64) + inlet.Index);
        Root.Dispatch();

        // What failed on the way of this row was told there, and is none of the next one's.
        Frame.ClearFailure();
    }

    private sealed class ApplyInletState(ApplyState apply, ApplyInlet plan) : InletState
    {
        private readonly Expr[] _values = [.. plan.Values];

        public override void Take() => apply.Take(plan, _values);
    }
}
