using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// When windows begin and end, in ticks: ends lie at every multiple of the hop plus the offset, the start is excluded
/// and the end included. Size 0 is the snapshot window: rows of one timestamp.
/// </summary>
internal readonly record struct WindowSpec(
    string? Id, long Size, long Hop, long Offset, WindowKind Kind = WindowKind.Regular)
{
    public bool IsSnapshot => Size == 0;

    public bool IsTumbling => Size == Hop;

    /// <summary>A session's longest silence; its hop is the longest duration.</summary>
    public long Timeout => Size;

    public long DurationMax => Hop;

    /// <summary>
    /// When a session that began here ends at the latest: the length is looked at at its own multiples only.
    /// </summary>
    public long SessionEnd(long start) => EndAfter(start + DurationMax, DurationMax);

    /// <summary>The stretch that all windows contain as a whole or not at all.</summary>
    public long Pane => IsTumbling ? Size : Gcd(Size, Hop);

    /// <summary>How many of them a window has.</summary>
    public long Panes => Size / Pane;

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

internal enum WindowKind : byte
{
    /// <summary>Tumbling, hopping and snapshot: its bounds do not depend on the events.</summary>
    Regular,
    Sliding,
    Session,
}

/// <summary>A GROUP BY with its window: takes rows, gives a row for each group when a window ends.</summary>
internal sealed class WindowPlan(WindowSpec spec) : OperatorPlan
{
    public WindowSpec Spec => spec;

    /// <summary>One for each branch of a UNION that it reads.</summary>
    public List<WindowInlet> Sources { get; } = [];

    public int KeyCount { get; private set; }

    public IReadOnlyList<AccumulatorPlan> Accumulators { get; private set; } = [];

    public IReadOnlyList<ResultPlan> Results { get; private set; } = [];

    public int ArgumentCount { get; private set; }

    /// <summary>The keys as written, for people.</summary>
    public IReadOnlyList<string> KeyTexts { get; set; } = [];

    /// <summary>What parts sessions from one another, as written.</summary>
    public IReadOnlyList<string> SessionKeyTexts { get; set; } = [];

    public void Complete(
        int keys, int arguments, IReadOnlyList<AccumulatorPlan> accumulators, IReadOnlyList<ResultPlan> results)
    {
        KeyCount = keys;
        ArgumentCount = arguments;
        Accumulators = accumulators;
        Results = results;
        while (SlotCount < keys + results.Count) NewSlot();
    }
}

/// <summary>How rows of one root come into a window.</summary>
/// <param name="sessionKeys">What parts sessions from one another.</param>
internal sealed class WindowInlet(
    WindowPlan window, Expr[] filters, Expr[] keys, Expr[] arguments, Expr[] sessionKeys) : Inlet(window, filters)
{
    public Expr[] Keys => keys;

    public Expr[] Arguments => arguments;

    public Expr[] SessionKeys => sessionKeys;

    public override IEnumerable<Expr> Taken => [.. arguments, .. keys, .. sessionKeys];
}

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

    /// <summary>All values, as they came.</summary>
    Values,

    /// <summary>All values, as numbers.</summary>
    Numbers,
}

/// <param name="Argument">Index of the argument; -1 for COUNT(*).</param>
/// <param name="AsText">MIN and MAX compare text as text; else text counts as a float.</param>
internal readonly record struct AccumulatorPlan(AccumulatorKind Kind, int Argument, bool AsText)
{
    /// <summary>Any value can be taken, whatever its type.</summary>
    public bool TakesAny =>
        Kind is AccumulatorKind.CountRows or AccumulatorKind.Count or AccumulatorKind.CountDistinct
            or AccumulatorKind.Values;

    /// <summary>Text counts as what it says.</summary>
    public bool ReadsText => !TakesAny && !AsText;

    /// <summary>Text counts as it came: texts that say the same may differ.</summary>
    public bool KeepsText => AsText || Kind is AccumulatorKind.CountDistinct or AccumulatorKind.Values;
}

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
    Collect,
    CollectTop,
    TopOne,
    PercentileContinuous,
    PercentileDiscrete,
}

/// <summary>An aggregate as the SELECT list asks for it: read from an accumulator.</summary>
/// <param name="Number">How many for CollectTop; which share for a percentile.</param>
/// <param name="Descending">For each ORDER BY expression.</param>
internal readonly record struct ResultPlan(
    ResultKind Kind, int Accumulator, double Number = 0, IReadOnlyList<bool>? Descending = null);
