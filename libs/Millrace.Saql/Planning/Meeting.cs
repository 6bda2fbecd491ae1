using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>Rows that meet have these columns in common.</summary>
/// <param name="Columns">Each as a value of the inputs' rows; null when it is none.</param>
internal sealed record Meeting(
    IReadOnlyList<FeedPlan> Feeds, IReadOnlyList<Dictionary<FeedPlan, Expr>?> Columns, IReadOnlyList<string> Texts)
{
    /// <summary>What rows meet in, of these operators and functions.</summary>
    public static IEnumerable<Meeting> AllOf(
        IEnumerable<OperatorPlan> operators, IEnumerable<AnalyticPlan> analytics, RowRoot[] roots,
        KeyLineage lineage) =>
    [
        .. operators.Select(one => Of(one, lineage)).OfType<Meeting>(),
        .. analytics.Select(one => Of(one, roots, lineage)),
    ];

    private static Meeting? Of(OperatorPlan one, KeyLineage lineage) => one switch
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

    private static Meeting Of(AnalyticPlan one, RowRoot[] roots, KeyLineage lineage) => Of(lineage,
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

    /// <summary>Whether rows that meet have this value of each input in common.</summary>
    public bool Has(Func<FeedPlan, Expr> value) => Columns.Any(column =>
        column is not null && Feeds.All(feed => KeyLineage.IsSame(column[feed], value(feed))));

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
