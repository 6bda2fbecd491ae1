namespace Millrace.Saql.Planning;

/// <summary>
/// Operators and functions that hand rows on to one another: no row goes from one strand to another, so that each may
/// have places of its own.
/// </summary>
/// <param name="Roots">Its operators, and the inputs that functions with OVER look back at.</param>
/// <param name="Meetings">What its rows meet in; none where it keeps no state of rows.</param>
internal sealed record Strand(IReadOnlySet<RowRoot> Roots, IReadOnlyList<Meeting> Meetings)
{
    /// <summary>In how many columns its rows can be placed at most.</summary>
    public int ColumnsMax => Meetings.Min(meeting => meeting.Columns.Count(column => column is not null));

    /// <summary>All strands, in order of the text.</summary>
    public static IEnumerable<Strand> AllOf(
        IReadOnlyList<FeedPlan> feeds, IReadOnlyList<OperatorPlan> operators, RowRoot[] roots, KeyLineage lineage)
    {
        // What a function gives may stand in whatever reads the input, so it all belongs together.
        List<RowRoot> members = [.. feeds.Where(feed => feed.Analytics.Count > 0), .. operators];
        var neighbours = members.Distinct().ToDictionary(member => member, _ => new List<RowRoot>());
        foreach (var member in members)
        {
            foreach (var inlet in member.Inlets) Tie(neighbours, member, inlet.Operator);
        }

        var computed = members.SelectMany(member => member.Analytics.Select(inlet => (member, inlet.Analytic)))
            .GroupBy(one => one.Analytic, one => one.member).ToList();
        foreach (var places in computed)
        {
            foreach (var place in places) Tie(neighbours, places.First(), place);
        }

        var seen = new HashSet<RowRoot>();
        foreach (var member in members.Where(member => !seen.Contains(member)))
        {
            var together = Reach(neighbours, member);
            seen.UnionWith(together);
            yield return new Strand(together, [.. Meeting.AllOf(operators.Where(together.Contains),
                computed.Where(places => together.Contains(places.First())).Select(places => places.Key),
                roots, lineage)]);
        }
    }

    private static void Tie(Dictionary<RowRoot, List<RowRoot>> neighbours, RowRoot one, RowRoot other)
    {
        neighbours[one].Add(other);
        neighbours[other].Add(one);
    }

    private static HashSet<RowRoot> Reach(Dictionary<RowRoot, List<RowRoot>> neighbours, RowRoot first)
    {
        var reached = new HashSet<RowRoot> { first };
        var left = new Stack<RowRoot>(reached);
        while (left.TryPop(out var next))
        {
            foreach (var neighbour in neighbours[next].Where(reached.Add)) left.Push(neighbour);
        }

        return reached;
    }
}
