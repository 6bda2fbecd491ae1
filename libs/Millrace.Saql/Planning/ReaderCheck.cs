using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Planning;

/// <summary>
/// What of a reader fails a row wherever somebody looks who has the row's values. A reader that fails otherwise is not
/// known to.
/// </summary>
/// <param name="Values">Of those that are computed of a row that passes the filters.</param>
/// <param name="Aggregates">Of a window: those that do not take any value, each with its argument.</param>
internal sealed record ReaderCheck(
    Expr[] Filters, Expr[] Values, (AccumulatorPlan Plan, Expr Argument)[] Aggregates)
{
    public IEnumerable<Expr> Reads => [.. Filters, .. Values, .. Aggregates.Select(one => one.Argument)];

    /// <summary>
    /// What surely fails: nothing in it depends on other rows, on a model's version or on how long something takes.
    /// Null when nothing can be said.
    /// </summary>
    public static ReaderCheck? Of(IReader reader) => Of(reader, IsSteady);

    /// <summary>
    /// What fails by the row alone, as a rule: a model may have another version elsewhere, and something may take too
    /// long at one place and not at another. Null when nothing can be said.
    /// </summary>
    public static ReaderCheck? OfRowAlone(IReader reader) => Of(reader, IsOfRowAlone);

    /// <summary>Whether all that may fail at the reader surely does.</summary>
    public static bool IsSure(IReader reader) => reader.Reads.All(IsSteady);

    /// <summary>Whether other rows have a part in what fails there.</summary>
    public static bool SeesOtherRows(IReader reader) => reader is MatchInlet || !reader.Reads.All(IsOfRowAlone);

    /// <summary>Whether any row may fail at the reader, for whatever cause.</summary>
    public static bool MayFail(IReader reader) =>
        reader.Filters.Length > 0 || reader.Taken.Any(MayFail) || AggregatesOf(reader).Any();

    /// <summary>Whether the row in the frame fails; the frame's failure is void then.</summary>
    public bool Fails(Frame frame)
    {
        frame.ClearFailure();
        foreach (var filter in Filters)
        {
            if (filter.Test(frame) != Truth.True) return frame.Failure is not null;
        }

        foreach (var value in Values) value.Evaluate(frame);
        foreach (var (plan, argument) in Aggregates)
        {
            var value = argument.Evaluate(frame);
            new Accumulator(plan, index: 0, firstWord: 0).TryTake(ref value, frame);
        }

        return frame.Failure is not null;
    }

    private static IEnumerable<(AccumulatorPlan Plan, Expr Argument)> AggregatesOf(IReader reader) =>
        reader is WindowInlet { Operator: WindowPlan window } inlet
            ? window.Accumulators.Where(one => !one.TakesAny).Select(one => (one, inlet.Arguments[one.Argument]))
            : [];

    private static bool MayFail(Expr value) => value switch
    {
        MemoExpr memo => MayFail(memo.Inner),
        SlotExpr or ConstantExpr or TimestampExpr or PartitionExpr => false,
        _ => true,
    };

    private static ReaderCheck? Of(IReader reader, Func<Expr, bool> isKnown)
    {
        if (!reader.Filters.All(isKnown)) return null;
        var check = new ReaderCheck(reader.Filters, [.. reader.Taken.Where(value => MayFail(value) && isKnown(value))],
            [.. AggregatesOf(reader).Where(one => isKnown(one.Argument))]);
        return check.Reads.Any() ? check : null;
    }

    private static bool IsSteady(Expr value) => Expr.Within([value]).All(part => part.IsSteady);

    private static bool IsOfRowAlone(Expr value) => !Expr.Within([value]).OfType<AnalyticExpr>().Any();
}
