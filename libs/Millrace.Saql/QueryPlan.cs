using Millrace.Saql.Planning;

namespace Millrace.Saql;

/// <summary>Where a query is answered.</summary>
public enum QueryScope
{
    /// <summary>Each log partition for itself: no state, or state by device or by PartitionId.</summary>
    PerPartition,

    /// <summary>One answer over all partitions.</summary>
    AllPartitions,
}

/// <summary>A compiled query. It never changes and serves many engines.</summary>
public sealed class QueryPlan
{
    internal QueryPlan(PlanParts parts, string text)
    {
        Parts = parts;
        Text = text;
        Inputs = [.. parts.Inputs.Select(input => input.Name)];
        Outputs = parts.Outputs;
        var isLocal = parts.Operators.All(one => one.IsPartitionLocal)
            && parts.Analytics.All(analytic => analytic.IsPartitionLocal);
        Scope = isLocal ? QueryScope.PerPartition : QueryScope.AllPartitions;
    }

    internal PlanParts Parts { get; }

    /// <summary>The text that it was compiled from.</summary>
    public string Text { get; }

    /// <summary>The names after FROM that are inputs, not steps.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>The reference data that the query joins with.</summary>
    public IReadOnlyList<string> References => Parts.References;

    /// <summary>The names after INTO in order of the text; "output" where there is none.</summary>
    public IReadOnlyList<string> Outputs { get; }

    public QueryScope Scope { get; }

    /// <summary>The plan as a tree, for people.</summary>
    public string Explain() => PlanText.Of(this);
}
