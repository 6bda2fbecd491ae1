using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// How the rows of each input find the place of their key, such that all rows that meet in some state of the query are
/// at one place. An input whose rows meet none stays where it is.
/// </summary>
internal sealed class RepartitionPlan
{
    private readonly Dictionary<FeedPlan, Expr[]> _keys;

    private RepartitionPlan(Dictionary<FeedPlan, Expr[]> keys, string text) => (_keys, Text) = (keys, text);

    /// <summary>The keys, for people.</summary>
    public string Text { get; }

    /// <summary>What rows of the input are placed by; null when they stay.</summary>
    public Expr[]? KeysOf(FeedPlan feed) => _keys.GetValueOrDefault(feed);

    /// <summary>
    /// Null when there are none: some state is of all rows, or of keys that go across one another.
    /// </summary>
    public static RepartitionPlan? Of(
        IReadOnlyList<FeedPlan> feeds, IReadOnlyList<OperatorPlan> operators, IReadOnlyList<AnalyticPlan> analytics)
    {
        RowRoot[] roots = [.. feeds, .. operators];
        var lineage = new KeyLineage(roots);
        var text = new List<string>();
        return Place([.. Meeting.AllOf(operators, analytics, roots, lineage)], [], text) is { } keys
            ? new RepartitionPlan(keys, string.Join("; ", text.Distinct()))
            : null;
    }

    private static Dictionary<FeedPlan, Expr[]>? Place(
        IReadOnlyList<Meeting> meetings, Dictionary<FeedPlan, Expr[]> placed, List<string> text)
    {
        if (meetings.Count == 0) return placed;
        var next = meetings.FirstOrDefault(one => one.Feeds.Any(placed.ContainsKey)) ?? meetings[0];
        foreach (var columns in next.Choices(placed))
        {
            var more = new Dictionary<FeedPlan, Expr[]>(placed);
            foreach (var feed in next.Feeds) more[feed] = [.. columns.Select(column => next.Columns[column]![feed])];
            text.Add(next.TextOf(columns));
            if (Place([.. meetings.Where(one => one != next)], more, text) is { } all) return all;
            text.RemoveAt(text.Count - 1);
        }

        return null;
    }
}
