namespace Millrace.Saql.Planning;

/// <summary>
/// How the rows of each input find the places of their keys, such that all rows that meet in some state of the query
/// are at one place. An input whose rows meet none stays where it is.
/// </summary>
internal sealed class RepartitionPlan
{
    private readonly ILookup<FeedPlan, RoutePlan> _routes;

    private RepartitionPlan(IEnumerable<FeedPlan> feeds, IReadOnlyList<Placement> placements, bool isDivided)
    {
        var routes = new List<RoutePlan>();
        foreach (var feed in feeds) AddRoutes(routes, feed, placements);
        _routes = routes.ToLookup(route => route.Feed);
        IsDivided = isDivided;
        Text = string.Join(", and once more to that of ", placements.Select(placement => placement.Text));
    }

    /// <summary>The keys, for people.</summary>
    public string Text { get; }

    /// <summary>
    /// Each strand of operators found its places by itself: as a rule some rows are sent more than once, each time by
    /// another key.
    /// </summary>
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

        // Versions before placed such queries so, and where the rows of one key are never changes for a text.
        var lineage = new KeyLineage(roots, looksInside: false);
        var undivided = new Placement();
        if (undivided.TryAdd([.. operators, .. analytics], [.. Meeting.AllOf(operators, analytics, roots, lineage)]))
            return new RepartitionPlan(feeds, [undivided], isDivided: false);

        // Those that leave the least choice come first, so that others find their key among theirs.
        lineage = new KeyLineage(roots, looksInside: true);
        var strands = Strand.AllOf(operators, analytics, roots, lineage).Where(strand => strand.Meetings.Count > 0)
            .ToList();
        var placements = new List<Placement>();
        foreach (var strand in strands.OrderBy(strand => strand.ColumnsMax))
        {
            if (placements.Exists(placement => placement.TryAdd(strand.Members, strand.Meetings))) continue;
            var another = new Placement();
            if (!another.TryAdd(strand.Members, strand.Meetings)) return null;
            placements.Add(another);
        }

        return new RepartitionPlan(feeds, [.. placements.OrderBy(placement =>
            strands.FindIndex(strand => strand.Members.Any(placement.Has)))], isDivided: true);
    }

    /// <summary>
    /// What reads a function with OVER goes where that is computed. What else meets no other row goes with the first
    /// route, or stays where there is no key.
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
        var use = new AnalyticUse([feed]);
        foreach (var output in feed.Outputs) To(use.In(output).FirstOrDefault()).Outputs.Add(output);
        foreach (var inlet in feed.Inlets) To(inlet.Operator).Inlets.Add(inlet);
        foreach (var inlet in feed.Analytics) To(inlet.Analytic).Analytics.Add(inlet);
        List<RoutePlan> all = [.. own.Select(one => one.Route).DefaultIfEmpty(first)];
        for (var i = 0; i < all.Count; i++) all[i].Complete(all[..i], all[(i + 1)..]);
        routes.AddRange(all);

        RoutePlan To(IPlaced? reader) => reader is null
            ? first
            : own.Find(one => one.Placement.Has(reader)).Route ?? first;
    }
}
