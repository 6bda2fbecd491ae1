namespace Millrace.Saql.Planning;

/// <summary>
/// Operators and functions with OVER that hand rows or values on to one another: nothing goes from one strand to
/// another, so that each may have places of its own.
/// </summary>
/// <param name="Meetings">What its rows meet in; none where it keeps no state of rows.</param>
internal sealed record Strand(IReadOnlySet<IPlaced> Members, IReadOnlyList<Meeting> Meetings)
{
    /// <summary>In how many columns its rows can be placed at most.</summary>
    public int ColumnsMax => Meetings.Min(meeting => meeting.Columns.Count(column => column is not null));

    /// <summary>
    /// All strands, those with functions first: where one of an input's rows looks back, all of them go, so that what
    /// goes with the first costs nothing there.
    /// </summary>
    public static IEnumerable<Strand> AllOf(
        IReadOnlyList<OperatorPlan> operators, IReadOnlyList<AnalyticPlan> analytics, RowRoot[] roots,
        KeyLineage lineage)
    {
        List<IPlaced> members = [.. analytics, .. operators];
        var neighbours = members.ToDictionary(member => member, _ => new List<IPlaced>());
        var use = new AnalyticUse(roots);
        foreach (var root in roots)
        {
            foreach (var together in Together(root, use)) Tie(neighbours, together);
        }

        var seen = new HashSet<IPlaced>();
        foreach (var member in members.Where(member => !seen.Contains(member)))
        {
            var strand = Reach(neighbours, member);
            seen.UnionWith(strand);
            yield return new Strand(strand, [.. Meeting.AllOf(
                operators.Where(strand.Contains), analytics.Where(strand.Contains), roots, lineage)]);
        }
    }

    /// <summary>What the readers of a root's rows tie: an input itself ties nothing.</summary>
    private static IEnumerable<IEnumerable<IPlaced>> Together(RowRoot root, AnalyticUse use)
    {
        IEnumerable<IPlaced> self = root is OperatorPlan made ? [made] : [];
        foreach (var inlet in root.Inlets) yield return [.. self, inlet.Operator, .. use.In(inlet)];
        foreach (var inlet in root.Analytics) yield return [.. self, inlet.Analytic, .. use.In(inlet)];
        foreach (var output in root.Outputs) yield return [.. self, .. use.In(output)];
    }

    private static void Tie(Dictionary<IPlaced, List<IPlaced>> neighbours, IEnumerable<IPlaced> together)
    {
        IPlaced? first = null;
        foreach (var other in together)
        {
            first ??= other;
            neighbours[first].Add(other);
            neighbours[other].Add(first);
        }
    }

    private static HashSet<IPlaced> Reach(Dictionary<IPlaced, List<IPlaced>> neighbours, IPlaced first)
    {
        var reached = new HashSet<IPlaced> { first };
        var left = new Stack<IPlaced>(reached);
        while (left.TryPop(out var next))
        {
            foreach (var neighbour in neighbours[next].Where(reached.Add)) left.Push(neighbour);
        }

        return reached;
    }
}
