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
    internal QueryPlan()
    {
    }

    /// <summary>The names after FROM that are inputs, not steps.</summary>
    public IReadOnlyList<string> Inputs => throw new NotSupportedException();

    /// <summary>The names after INTO in order of the text; "output" where there is none.</summary>
    public IReadOnlyList<string> Outputs => throw new NotSupportedException();

    public QueryScope Scope => throw new NotSupportedException();

    /// <summary>The plan as a tree, for people.</summary>
    public string Explain() => throw new NotSupportedException();
}
