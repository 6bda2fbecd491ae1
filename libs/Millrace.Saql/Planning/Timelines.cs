namespace Millrace.Saql.Planning;

/// <summary>
/// Finds the pipelines whose substreams can have timelines of their own: those whose inputs all have TIMESTAMP BY ...
/// OVER k, and where all rows that meet, in whatever the inputs' rows come to, have k in common.
/// </summary>
internal static class Timelines
{
    public static void Assign(PlanParts parts)
    {
        RowRoot[] roots = [.. parts.Feeds, .. parts.Operators];
        var lineage = new KeyLineage(roots, looksInside: false);
        foreach (var pipeline in parts.Feeds.GroupBy(feed => feed.Pipeline))
        {
            FeedPlan[] feeds = [.. pipeline];
            var keys = feeds[0].Over.Count;
            if (keys == 0 || feeds.Any(feed => feed.Over.Count != keys)) continue;
            var operators = parts.Operators.Where(one => one.Pipeline == pipeline.Key).ToList();
            var analytics = parts.AnalyticsOf(pipeline.Key).ToList();
            // Rows of a single input that meet none go on at once in any case.
            if (feeds.Length + operators.Count + analytics.Count == 1) continue;
            var areOwn = Meeting.AllOf(operators, analytics, roots, lineage).All(meeting =>
                Enumerable.Range(0, keys).All(key => meeting.Has(feed => feed.Over[key])));
            foreach (var feed in feeds) feed.HasTimelines = areOwn;
        }
    }

    /// <summary>
    /// The same for the places of keys: rows are placed by nothing but what parts them into substreams, so that a
    /// substream is at one place.
    /// </summary>
    public static void AssignByKey(PlanParts parts, RepartitionPlan repartition)
    {
        foreach (var pipeline in parts.Feeds.GroupBy(feed => feed.Pipeline))
        {
            var areWhole = pipeline.All(feed => feed.HasTimelines
                && repartition.RoutesOf(feed).ToList() is [{ Keys: { } keys }]
                && keys.All(key => feed.Over.Any(own => KeyLineage.IsSame(own, key))));
            foreach (var feed in pipeline) feed.HasTimelinesByKey = areWhole;
        }
    }
}
