using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// By which key the rows of each input find their place, such that all rows that meet in some of what is placed by it
/// are at one place.
/// </summary>
internal sealed class Placement
{
    private readonly HashSet<IPlaced> _members = [];
    private readonly List<string> _texts = [];
    private Dictionary<FeedPlan, Expr[]> _keys = [];

    /// <summary>The keys, for people.</summary>
    public string Text => string.Join("; ", _texts.Distinct());

    /// <summary>What rows of the input are placed by; null when none of what is placed here needs a key of them.
    /// </summary>
    public Expr[]? KeysOf(FeedPlan feed) => _keys.GetValueOrDefault(feed);

    public bool Has(IPlaced member) => _members.Contains(member);

    /// <summary>
    /// Adds what has these meetings, whose rows have to be at one place too. False, and nothing is added, when that
    /// cannot be: some state is of all rows, or of keys that go across one another.
    /// </summary>
    public bool TryAdd(IEnumerable<IPlaced> members, IReadOnlyList<Meeting> meetings)
    {
        if (Place(meetings, _keys) is not { } keys) return false;
        _keys = keys;
        _members.UnionWith(members);
        return true;
    }

    private Dictionary<FeedPlan, Expr[]>? Place(IReadOnlyList<Meeting> meetings, Dictionary<FeedPlan, Expr[]> placed)
    {
        if (meetings.Count == 0) return placed;
        var next = meetings.FirstOrDefault(one => one.Feeds.Any(placed.ContainsKey)) ?? meetings[0];
        foreach (var columns in next.Choices(placed))
        {
            var more = new Dictionary<FeedPlan, Expr[]>(placed);
            foreach (var feed in next.Feeds) more[feed] = [.. columns.Select(column => next.Columns[column]![feed])];
            _texts.Add(next.TextOf(columns));
            if (Place([.. meetings.Where(one => one != next)], more) is { } all) return all;
            _texts.RemoveAt(_texts.Count - 1);
        }

        return null;
    }
}
