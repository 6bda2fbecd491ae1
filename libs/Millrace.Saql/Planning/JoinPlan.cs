using Millrace.Saql.Binding;
using Millrace.Saql.Expressions;
using Millrace.Saql.Functions;

namespace Millrace.Saql.Planning;

/// <summary>
/// Two streams joined: a row of one side meets the rows that the other side keeps. Its row has the columns of both that
/// somebody reads.
/// </summary>
internal sealed class JoinPlan(bool isOuter) : OperatorPlan
{
    /// <summary>A row of the left that meets none goes on alone, when none can come any more.</summary>
    public bool IsOuter => isOuter;

    public CarriedSide Left { get; set; } = null!;

    public CarriedSide Right { get; set; } = null!;

    /// <summary>ON, over the row of both.</summary>
    public Expr Condition { get; set; } = null!;

    public IReadOnlyList<JoinBound> Bounds { get; set; } = [];

    /// <summary>ON as written, for people.</summary>
    public string Text { get; set; } = "";

    /// <summary>What ON says is equal, as written.</summary>
    public IReadOnlyList<string> KeyTexts { get; set; } = [];
}

/// <summary>
/// DATEDIFF between a source of the left and the right one lies within bounds. It counts the boundaries of the unit
/// that lie between, so both fall into units that are so many apart.
/// </summary>
/// <param name="LeftTime">The slot of the left source's time.</param>
/// <param name="Unit">In ticks.</param>
/// <param name="Before">What of the first unit had passed when time began, in ticks.</param>
/// <param name="LeftLag">How much later than its source a row of the left may be, in ticks.</param>
internal readonly record struct JoinBound(
    int LeftTime, long Unit, long Before, long? Low, long? High, long LeftLag)
{
    /// <summary>The last time of a right row that fits the left time.</summary>
    public long LastRight(long left) => High is { } high ? LastOf(left, high) : long.MaxValue;

    /// <summary>The last time of a left row that fits the right time.</summary>
    public long LastLeft(long right) => Low is { } low ? LastOf(right, -low) + LeftLag : long.MaxValue;

    /// <summary>The end of the unit that is so many behind the one of the time.</summary>
    private long LastOf(long time, long behind) => (((time + Before) / Unit + behind + 1) * Unit) - 1 - Before;
}

/// <summary>How rows come into a join.</summary>
/// <param name="index">Tells the inlets of one operator apart.</param>
/// <param name="keys">Equal to those of the other side when rows meet.</param>
internal sealed class JoinInlet(
    OperatorPlan join, Expr[] filters, bool isLeft, int index, CarriedSide side, int branch, Expr[] keys)
    : Inlet(join, filters)
{
    public bool IsLeft => isLeft;

    public int Index => index;

    public CarriedSide Side => side;

    public IReadOnlyList<Expr> Values => side.Values(branch);

    public Expr[] Keys => keys;

    public override IEnumerable<Expr> Taken => [.. Values, .. keys];
}

/// <summary>A stream joined with reference data, which has no time.</summary>
internal sealed class ReferencePlan(bool isOuter, InputPlan data) : OperatorPlan
{
    public bool IsOuter => isOuter;

    /// <summary>The fields that are read of an entry.</summary>
    public InputPlan Data => data;

    public CarriedSide Left { get; set; } = null!;

    public CarriedSide Right { get; set; } = null!;

    public Expr Condition { get; set; } = null!;

    /// <summary>On an entry; equal to the keys of the stream's row when they meet.</summary>
    public Expr[] Keys { get; set; } = [];

    public string Text { get; set; } = "";

    /// <summary>WHERE of the SELECTs that entries come through, the first to be read first, as written.</summary>
    public IReadOnlyList<string> EntryFilterTexts { get; set; } = [];
}

/// <summary>CROSS or OUTER APPLY: a row for each element of an array or each member of a record.</summary>
internal sealed class ApplyPlan(bool isOuter, bool ofRecord) : OperatorPlan
{
    public bool IsOuter => isOuter;

    public bool OfRecord => ofRecord;

    /// <summary>Where the index or the name goes; the value goes into the next slot.</summary>
    public int FirstSlot { get; set; }
}

/// <param name="index">Tells the inlets of one operator apart.</param>
internal sealed class ApplyInlet(
    ApplyPlan apply, Expr[] filters, int index, CarriedSide side, int branch, Expr collection) : Inlet(apply, filters)
{
    public int Index => index;

    public CarriedSide Side => side;

    public IReadOnlyList<Expr> Values => side.Values(branch);

    /// <summary>An array, or a record; anything else that is not null fails the row.</summary>
    public Expr Collection { get; } = new CallExpr(
        apply.OfRecord ? ValueFunctions.RecordProperties : ValueFunctions.ArrayElements, [collection]);

    public override IEnumerable<Expr> Taken => [.. Values, Collection];
}
