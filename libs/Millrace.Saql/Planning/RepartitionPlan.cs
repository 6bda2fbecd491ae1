namespace Millrace.Saql.Planning;

/// <summary>
/// How the rows of each input find the places of their keys, such that all rows that meet in some state of the query
/// are at one place. An input whose rows meet none stays where it is.
/// </summary>
internal sealed class RepartitionPlan
{
    private readonly ILookup<FeedPlan, RoutePlan> _routes;

    private RepartitionPlan(IEnumerable<FeedPlan> feeds, IReadOnlyList<Placement> placements)
    {
        var routes = new List<RoutePlan>();
        foreach (var feed in feeds) AddRoutes(routes, feed, placements);
        _routes = routes.ToLookup(route => route.Feed);
        IsDivided = placements.Count > 1;
        Text = string.Join(", and once more to that of ", placements.Select(placement => placement.Text));
    }

    /// <summary>The keys, for people.</summary>
    public string Text { get; }

    /// <summary>Some rows are sent more than once, each time by another key.</summary>
    public bool IsDivided { get; }

    /// <summary>At least one for each input.</summary>
    public IEnumerable<RoutePlan> RoutesOf(FeedPlan feed) => _routes[feed];

    /// <summary>
    /// One key for each input when there is such, else as few as strands of operators allow. Null when there are none:
    /// some state is of all rows, or of keys that go across one another within a strand.
    /// </summary>
    public static RepartitionPlan? Of(
        IReadOnlyList<FeedPlan> feeds, IReadOnlyList<OperatorPlan> operators, IReadOnlyList<AnalyticPlan> analytics)
    {
        RowRoot[] roots = [.. feeds, .. operators];
        var lineage = new KeyLineage(roots);
        var undivided = new Placement();
        if (undivided.TryAdd(roots, [.. Meeting.AllOf(operators, analytics, roots, lineage)]))
            return new RepartitionPlan(feeds, [undivided]);

        // Those that leave the least choice come first, so that others find their key among theirs.
        var strands = Strand.AllOf(feeds, operators, roots, lineage).Where(strand => strand.Meetings.Count > 0)
            .ToList();
        var placements = new List<Placement>();
        foreach (var strand in strands.OrderBy(strand => strand.ColumnsMax))
        {
            if (placements.Exists(placement => placement.TryAdd(strand.Roots, strand.Meetings))) continue;
            var another = new Placement();
            if (!another.TryAdd(strand.Roots, strand.Meetings)) return null;
            placements.Add(another);
        }

        return new RepartitionPlan(feeds, [.. placements.OrderBy(placement =>
            strands.FindIndex(strand => strand.Roots.Any(placement.Has)))]);
    }

    /// <summary>
    /// What of the input's rows meets no other goes with the first route, or stays where there is no key.
    /// </summary>
    private static void AddRoutes(List<RoutePlan> routes, FeedPlan feed, IReadOnlyList<Placement> placements)
    {
        var own = new List<(RoutePlan Route, Placement Placement)>();
        foreach (var placement in placements)
        {
            if (placement.KeysOf(feed) is { } keys)
                own.Add((new RoutePlan(routes.Count + own.Count, feed, keys, placement.Text), placement));
        }

        var first = own.Count > 0 ? own[0].Route : new RoutePlan(routes.Count, feed, null, "");
        first.Outputs.AddRange(feed.Outputs);
        foreach (var inlet in feed.Inlets) To(inlet.Operator).Inlets.Add(inlet);
        if (feed.Analytics.Count > 0) To(feed).Analytics.AddRange(feed.Analytics);
        routes.AddRange(own.Select(one => one.Route).DefaultIfEmpty(first));

        RoutePlan To(RowRoot reader)
        {
            foreach (var (route, placement) in own)
            {
                if (placement.Has(reader)) return route;
            }

            return first;
        }
    }
}
