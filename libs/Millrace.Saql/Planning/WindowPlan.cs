using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// When windows begin and end, in ticks: ends lie at every multiple of the hop plus the offset, the start is excluded
/// and the end included. Size 0 is the snapshot window: rows of one timestamp.
/// </summary>
internal readonly record struct WindowSpec(string? Id, long Size, long Hop, long Offset)
{
    public bool IsSnapshot => Size == 0;

    public bool IsTumbling => Size == Hop;

    /// <summary>The stretch that all windows contain as a whole or not at all.</summary>
    public long Pane => IsTumbling ? Size : Gcd(Size, Hop);

    /// <summary>The end of the pane that contains the time.</summary>
    public long PaneEnd(long time) => IsSnapshot ? time : EndAfter(time, Pane);

    /// <summary>The end of the first window that contains the time.</summary>
    public long FirstEnd(long time) => IsSnapshot ? time : EndAfter(time, Hop);

    private long EndAfter(long time, long step)
    {
        var shifted = time - Offset - 1;
        var index = shifted >= 0 ? shifted / step : ((shifted + 1) / step) - 1;
        return ((index + 1) * step) + Offset;
    }

    private static long Gcd(long a, long b) => b == 0 ? a : Gcd(b, a % b);
}

/// <summary>A GROUP BY with its window: takes rows, gives a row for each group when a window ends.</summary>
internal sealed class WindowPlan(int number, WindowSpec spec) : RowRoot
{
    public int Number => number;

    public WindowSpec Spec => spec;

    /// <summary>One for each branch of a UNION that it reads.</summary>
    public List<WindowInlet> Inlets { get; } = [];

    public int KeyCount { get; private set; }

    public IReadOnlyList<AccumulatorPlan> Accumulators { get; private set; } = [];

    public IReadOnlyList<ResultPlan> Results { get; private set; } = [];

    public int ArgumentCount { get; private set; }

    /// <summary>Every group's rows come from one log partition.</summary>
    public bool IsPartitionLocal { get; set; }

    /// <summary>The keys as written, for people.</summary>
    public IReadOnlyList<string> KeyTexts { get; set; } = [];

    public void Complete(
        int keys, int arguments, IReadOnlyList<AccumulatorPlan> accumulators, IReadOnlyList<ResultPlan> results)
    {
        KeyCount = keys;
        ArgumentCount = arguments;
        Accumulators = accumulators;
        Results = results;
        SlotCount = keys + results.Count;
    }
}

/// <summary>How rows of one root come into a window.</summary>
internal sealed record WindowInlet(WindowPlan Window, Expr[] Filters, Expr[] Keys, Expr[] Arguments);

internal enum AccumulatorKind : byte
{
    CountRows,
    Count,
    CountDistinct,

    /// <summary>Sum and count: SUM and AVG.</summary>
    Sum,
    Min,
    Max,

    /// <summary>Mean and squares: STDEV and its kin.</summary>
    Moments,
}

/// <param name="Argument">Index of the argument; -1 for COUNT(*).</param>
/// <param name="AsText">MIN and MAX compare text as text; else text counts as a float.</param>
internal readonly record struct AccumulatorPlan(AccumulatorKind Kind, int Argument, bool AsText);

internal enum ResultKind : byte
{
    Count,
    Sum,
    Average,
    Extreme,
    SampleDeviation,
    PopulationDeviation,
    SampleVariance,
    PopulationVariance,
}

/// <summary>An aggregate as the SELECT list asks for it: read from an accumulator.</summary>
internal readonly record struct ResultPlan(ResultKind Kind, int Accumulator);
