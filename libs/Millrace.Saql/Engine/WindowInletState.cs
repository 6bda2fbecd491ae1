using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>How rows come into a window, with what spares work a row.</summary>
internal sealed class WindowInletState(WindowInlet plan, GroupingState window) : InletState
{
    public Expr[] Filters { get; } = plan.Filters;

    public Expr[] Keys { get; } = plan.Keys;

    public Expr[] SessionKeys { get; } = plan.SessionKeys;

    public Expr[] Arguments { get; } = plan.Arguments;

    /// <summary>The slot of the only key; -1 when there are several, or it is computed.</summary>
    public int KeySlot { get; } = plan.Keys is [SlotExpr key] ? key.Slot : -1;

    /// <summary>All arguments stand in slots, so that they need no copy.</summary>
    public bool ArgumentsAreSlots { get; } = plan.Arguments.All(argument => argument is SlotExpr);

    public int[] ArgumentSlots { get; } =
        plan.Arguments.All(argument => argument is SlotExpr)
            ? [.. plan.Arguments.Select(argument => ((SlotExpr)argument).Slot)] : [];

    public override void Take() => window.Add(this);
}
