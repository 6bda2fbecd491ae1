using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

internal enum AnalyticKind : byte
{
    /// <summary>LAG, and LAST as the offset 0.</summary>
    Lag,
    IsFirst,
    Aggregate,

    /// <summary>AnomalyDetection_SpikeAndDip.</summary>
    Spike,

    /// <summary>AnomalyDetection_ChangePoint.</summary>
    Change,
}

internal enum SpikeMode : byte
{
    SpikesAndDips,
    Spikes,
    Dips,
}

/// <summary>
/// A function with OVER: computed for each row of the source, before WHERE, from rows of the same partition within
/// the duration. Its value is remembered for the row.
/// </summary>
internal sealed class AnalyticPlan(AnalyticKind kind, int number, string text) : IPlaced
{
    public AnalyticKind Kind => kind;

    public int Number => number;

    /// <summary>As written, for people.</summary>
    public string Text => text;

    /// <summary>PARTITION BY as written.</summary>
    public IReadOnlyList<string> KeyTexts { get; set; } = [];

    /// <summary>How far back it looks, in ticks; for ISFIRST the length of the interval.</summary>
    public long Duration { get; init; }

    /// <summary>Of LAG.</summary>
    public int Offset { get; init; }

    /// <summary>Of anomaly detection: how unlikely a value must be, as a share.</summary>
    public double Confidence { get; init; }

    /// <summary>Of anomaly detection: how many values it learns from.</summary>
    public int History { get; init; }

    public SpikeMode Mode { get; init; }

    public AccumulatorPlan Accumulator { get; init; }

    public ResultPlan Result { get; init; }

    /// <summary>Rows of one partition come from one log partition.</summary>
    public bool IsPartitionLocal { get; set; } = true;

    public List<AnalyticInlet> Inlets { get; } = [];
}

/// <summary>How rows of one root come into an analytic function.</summary>
/// <param name="Memo">Where the value of a row is remembered.</param>
/// <param name="Filters">What a row passes before it belongs to the function's source.</param>
/// <param name="Argument">The value looked back for, or the aggregate's argument.</param>
/// <param name="Otherwise">The default of LAG.</param>
internal sealed record AnalyticInlet(
    AnalyticPlan Analytic, int Memo, Expr[] Filters, Expr[] Keys, Expr? When, Expr Argument, Expr Otherwise) : IReader
{
    public IEnumerable<Expr> Taken => [.. Keys, .. When is null ? [] : new[] { When }, Argument, Otherwise];
}
