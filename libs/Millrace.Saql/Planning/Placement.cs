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
        var keys = _keys;
        var texts = new List<string>();
        var rest = meetings.ToList();
        while (rest.Count > 0)
        {
            // What shares no input with others finds its place without regard to theirs.
            var together = TakeConnected(rest, keys);
            if (Place(together, keys) is not { } more) return false;
            keys = more.Keys;
            texts.AddRange(more.Texts);
        }

        _keys = keys;
        _texts.AddRange(texts);
        _members.UnionWith(members);
        return true;
    }

    /// <summary>
    /// Takes some that are connected by their inputs, each but the first with one before it or with what is placed;
    /// the first is of an input that is placed where there is such.
    /// </summary>
    private static List<Meeting> TakeConnected(List<Meeting> rest, Dictionary<FeedPlan, Expr[]> placed)
    {
        var feeds = new HashSet<FeedPlan>(placed.Keys);
        var taken = new List<Meeting>();
        while (rest.Count > 0)
        {
            var next = rest.FindIndex(one => one.Feeds.Any(feeds.Contains));
            if (next < 0 && taken.Count > 0) break;
            next = Math.Max(next, 0);
            taken.Add(rest[next]);
            feeds.UnionWith(rest[next].Feeds);
            rest.RemoveAt(next);
        }

        return taken;
    }

    /// <summary>The first has a choice where nothing of it is placed; each other one follows.</summary>
    private static (Dictionary<FeedPlan, Expr[]> Keys, List<string> Texts)? Place(
        List<Meeting> together, Dictionary<FeedPlan, Expr[]> placed)
    {
        foreach (var choice in together[0].Choices(placed))
        {
            var keys = new Dictionary<FeedPlan, Expr[]>(placed);
            var texts = new List<string>();
            var columns = choice;
            foreach (var meeting in together)
            {
                if (texts.Count > 0) columns = meeting.Choices(keys).FirstOrDefault();
                if (columns is null) break;
                foreach (var feed in meeting.Feeds)
                    keys[feed] = [.. columns.Select(column => meeting.Columns[column]![feed])];
                texts.Add(meeting.TextOf(columns));
            }

            if (texts.Count == together.Count) return (keys, texts);
        }

        return null;
    }
}
