namespace Millrace.Saql.Planning;

/// <summary>
/// Finds the inputs whose substreams can have timelines of their own: those of TIMESTAMP BY ... OVER k where all rows
/// that meet, in whatever the input's rows come to, have k in common.
/// </summary>
internal static class Timelines
{
    public static void Assign(PlanParts parts)
    {
        RowRoot[] roots = [.. parts.Feeds, .. parts.Operators];
        var lineage = new KeyLineage(roots, looksInside: false);
        foreach (var feed in parts.Feeds.Where(feed => feed.Over.Count > 0))
        {
            var operators = parts.Operators.Where(one => one.Pipeline == feed.Pipeline).ToList();
            var analytics = parts.AnalyticsOf(feed.Pipeline).ToList();
            feed.HasTimelines = operators.Count + analytics.Count > 0
                && parts.Feeds.All(other => other == feed || other.Pipeline != feed.Pipeline)
                && Meeting.AllOf(operators, analytics, roots, lineage)
                    .All(meeting => feed.Over.All(key => meeting.Has(feed, key)));
        }
    }
}
