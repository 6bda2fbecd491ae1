using Millrace.Saql.Binding;
using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// MATCH_RECOGNIZE: of each partition the neighbouring rows that a pattern fits make one row. The next try begins at
/// the row behind the one where the last began.
/// </summary>
internal sealed class MatchPlan : OperatorPlan
{
    /// <summary>All rows of a match lie within this, in ticks.</summary>
    public long Duration { get; set; }

    public CarriedSide Side { get; set; } = null!;

    public IReadOnlyList<string> Variables { get; set; } = [];

    /// <summary>What a row must fulfil to be one of a variable; null for any row.</summary>
    public IReadOnlyList<Expr?> Defines { get; set; } = [];

    /// <summary>
    /// Whether a row is one of a variable, or not, whatever was matched before it: so a way that was in vain from some
    /// step and row on is in vain for all who come there.
    /// </summary>
    public bool LooksAtOneRow => Defines.Index().All(define => define.Item is null
        || Expr.Within([define.Item]).All(part => part.IsSteady && part switch
        {
            MatchExpr column => column.IsOfNewest(define.Index),
            ClassifierExpr => false,
            _ => true,
        }));

    public IReadOnlyList<PatternStep> Program { get; set; } = [];

    /// <summary>What goes into the slots behind those of the carried columns.</summary>
    public IReadOnlyList<Expr> Measures { get; set; } = [];

    public int FirstMeasureSlot { get; set; }

    public string Text { get; set; } = "";

    /// <summary>PARTITION BY as written.</summary>
    public IReadOnlyList<string> KeyTexts { get; init; } = [];
}

internal enum PatternStepKind : byte
{
    /// <summary>Takes a row as one of a variable.</summary>
    Row,

    /// <summary>Goes on at First, and when that fails, at Second.</summary>
    Split,
    Jump,
    Accept,
}

/// <param name="First">The variable of a row, -1 for any; else a step.</param>
internal readonly record struct PatternStep(PatternStepKind Kind, int First = 0, int Second = 0);

/// <param name="index">Tells the inlets of one operator apart.</param>
internal sealed class MatchInlet(
    MatchPlan match, Expr[] filters, int index, CarriedSide side, int branch, Expr[] keys) : Inlet(match, filters)
{
    public int Index => index;

    public IReadOnlyList<Expr> Values => side.Values(branch);

    public Expr[] Keys => keys;

    public override IEnumerable<Expr> Taken => [.. Values, .. keys];
}
