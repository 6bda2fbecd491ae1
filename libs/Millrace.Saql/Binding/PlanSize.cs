using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// What a plan comes to while it is made, in characters of the text, each as often as it is bound. A step without a
/// window has no part of its own in a plan: a UNION of a step with itself has twice its branches, and one of that four
/// times, so that a short text would become a plan without end.
/// </summary>
internal sealed class PlanSize(PlanLimits limits, Diagnostics diagnostics)
{
    /// <summary>What a SELECT weighs beside its text, for each of the branches that it reads.</summary>
    private const long BranchSize = 400;

    /// <summary>What a column weighs that a star stands for.</summary>
    private const long ColumnSize = 20;

    /// <summary>What a window, join, pattern or APPLY weighs: all of them are held against each other.</summary>
    private const long OperatorSize = 4000;

    private long _size;
    private bool _isTold;

    /// <summary>Nothing more is bound then, and what was may be in part.</summary>
    public bool IsOver => _size > limits.SizeMax;

    /// <summary>False when the plan would be too large with what stands at the place and reads the branches.</summary>
    public bool TryAdd(int branches, TextSpan place) => TryAdd(branches * (BranchSize + place.Length), place,
        branches == 1 ? "split it into several queries" : $"it is computed once for each of {branches} branches, the " +
            "ways by which rows come to it through UNIONs. Filter with OR or CASE instead of a UNION of a step with " +
            "itself");

    public bool TryAddColumn(TextSpan place) =>
        TryAdd(ColumnSize, place, "name the columns that are needed instead of *");

    public void AddOperator() => _size += OperatorSize;

    /// <summary>False when the value is computed from too much.</summary>
    public bool AllowsDepth(int depth, TextSpan place)
    {
        if (depth <= limits.DepthMax) return true;
        diagnostics.Add(SaqlErrors.TooLarge, place,
            $"Through the steps below this is computed from more than {limits.DepthMax} levels of expressions.");
        return false;
    }

    private bool TryAdd(long size, TextSpan place, string remedy)
    {
        _size += size;
        if (!IsOver) return true;
        if (!_isTold)
            diagnostics.Add(SaqlErrors.TooLarge, place, $"With this the query becomes too large a plan; {remedy}.");
        _isTold = true;
        return false;
    }
}
