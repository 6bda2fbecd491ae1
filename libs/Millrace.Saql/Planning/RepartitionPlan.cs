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
        List<Meeting> meetings =
        [
            .. operators.Select(one => Meeting.Of(one, lineage)).OfType<Meeting>(),
            .. analytics.Select(one => Meeting.Of(one, roots, lineage)),
        ];
        var text = new List<string>();
        return Place(meetings, [], text) is { } keys
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

    /// <summary>Rows that meet have these columns in common.</summary>
    /// <param name="Columns">Each as a value of the inputs' rows; null when it is none.</param>
    private sealed record Meeting(
        IReadOnlyList<FeedPlan> Feeds, IReadOnlyList<Dictionary<FeedPlan, Expr>?> Columns, IReadOnlyList<string> Texts)
    {
        public static Meeting? Of(OperatorPlan one, KeyLineage lineage) => one switch
        {
            WindowPlan window => Of(lineage, lineage.WaysInto(one).Select(way => (way.From, ((WindowInlet)way.Inlet) is
                var inlet && window.Spec.Kind == WindowKind.Session ? inlet.SessionKeys : inlet.Keys)),
                window.Spec.Kind == WindowKind.Session ? window.SessionKeyTexts : window.KeyTexts),
            JoinPlan join => Of(lineage,
                lineage.WaysInto(one).Select(way => (way.From, ((JoinInlet)way.Inlet).Keys)), join.KeyTexts),
            MatchPlan match => Of(lineage,
                lineage.WaysInto(one).Select(way => (way.From, ((MatchInlet)way.Inlet).Keys)), match.KeyTexts),
            _ => null,
        };

        public static Meeting Of(AnalyticPlan one, RowRoot[] roots, KeyLineage lineage) => Of(lineage,
            roots.SelectMany(root => root.Analytics.Where(inlet => inlet.Analytic == one)
                .Select(inlet => (root, inlet.Keys))), one.KeyTexts);

        /// <summary>
        /// The columns that rows may be placed by: those by which they are placed, else all, else each alone.
        /// </summary>
        public IEnumerable<int[]> Choices(Dictionary<FeedPlan, Expr[]> placed)
        {
            if (Feeds.FirstOrDefault(placed.ContainsKey) is { } known)
            {
                int[] same = [.. placed[known].Select(key => ColumnOf(known, key))];
                return same.All(column => column >= 0) && Feeds.All(feed => !placed.TryGetValue(feed, out var keys)
                    || keys.Zip(same).All(one => KeyLineage.IsSame(one.First, Columns[one.Second]![feed])))
                    ? [same]
                    : [];
            }

            int[] all = [.. Enumerable.Range(0, Columns.Count).Where(column => Columns[column] is not null)];
            var alone = all.Select(column => new[] { column });
            return all.Length > 1 ? alone.Prepend(all) : alone;
        }

        public string TextOf(int[] columns) => Texts.Count == Columns.Count
            ? string.Join(", ", columns.Select(column => Texts[column]))
            : string.Join(", ", Texts);

        private int ColumnOf(FeedPlan feed, Expr key)
        {
            for (var i = 0; i < Columns.Count; i++)
            {
                if (Columns[i] is { } column && KeyLineage.IsSame(column[feed], key)) return i;
            }

            return -1;
        }

        private static Meeting Of(
            KeyLineage lineage, IEnumerable<(RowRoot From, Expr[] Keys)> ways, IReadOnlyList<string> texts)
        {
            var all = ways.ToList();
            var columns = Enumerable.Range(0, all.Count == 0 ? 0 : all[0].Keys.Length)
                .Select(column => lineage.Merge(all.Select(way => (way.From, (Expr?)way.Keys[column])))).ToList();
            return new Meeting([.. all.SelectMany(way => lineage.FeedsOf(way.From)).Distinct()], columns, texts);
        }
    }
}
