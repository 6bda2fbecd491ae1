using Millrace.Saql.Extensions;
using Millrace.Saql.Planning;

namespace Millrace.Saql;

/// <summary>Where a query is answered.</summary>
public enum QueryScope
{
    /// <summary>Each log partition for itself: no state, or state by device or by PartitionId.</summary>
    PerPartition,

    /// <summary>One answer over all partitions.</summary>
    AllPartitions,

    /// <summary>
    /// Each key for itself, in two stages: every log partition sends its rows to the place of their key, where they
    /// are answered. One engine over all partitions gives the same.
    /// </summary>
    ByKey,
}

/// <summary>A compiled query. It never changes and serves many engines.</summary>
public sealed class QueryPlan
{
    internal QueryPlan(PlanParts parts, string text, QueryExtensions extensions)
    {
        Timelines.Assign(parts);
        Extensions = extensions;
        Parts = parts;
        Text = text;
        Inputs = [.. parts.Inputs.Select(input => input.Name)];
        Outputs = parts.Outputs;
        var isLocal = parts.Operators.All(one => one.IsPartitionLocal)
            && parts.Analytics.All(analytic => analytic.IsPartitionLocal);
        Repartition = isLocal ? null : RepartitionPlan.Of(parts.Feeds, parts.Operators, parts.Analytics);
        if (Repartition is not null) Timelines.AssignByKey(parts, Repartition);
        Scope = isLocal ? QueryScope.PerPartition
            : Repartition is null ? QueryScope.AllPartitions
            : QueryScope.ByKey;
    }

    internal PlanParts Parts { get; }

    internal QueryExtensions Extensions { get; }

    /// <summary>Null unless it is answered by key.</summary>
    internal RepartitionPlan? Repartition { get; }

    /// <summary>The text that it was compiled from.</summary>
    public string Text { get; }

    /// <summary>The names after FROM that are inputs, not steps.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>The reference data that the query joins with.</summary>
    public IReadOnlyList<string> References => Parts.References;

    /// <summary>The models that the query scores with.</summary>
    public IReadOnlyList<string> Models => Parts.Models;

    /// <summary>The names after INTO in order of the text; "output" where there is none.</summary>
    public IReadOnlyList<string> Outputs { get; }

    public QueryScope Scope { get; }

    /// <summary>
    /// It is answered by key, and each part of it that hands nothing to the others has places by itself: as a rule rows
    /// of an input are sent more than once, to the place of each key that they are needed by.
    /// </summary>
    public bool SendsBySeveralKeys => Repartition is { IsDivided: true };

    /// <summary>
    /// It is answered by key, and substreams of some input can have timelines of their own at the places of the keys.
    /// </summary>
    public bool HasTimelinesByKey => Parts.Feeds.Any(feed => feed.HasTimelinesByKey);

    /// <summary>The plan as a tree, for people.</summary>
    public string Explain() => PlanText.Of(this);
}
