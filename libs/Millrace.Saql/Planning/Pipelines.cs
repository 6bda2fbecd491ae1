namespace Millrace.Saql.Planning;

/// <summary>
/// Parts a plan into pipelines, each with a timeline of its own: inputs that meet in a window or in an output belong
/// together, so that the order of an output's rows depends on the records alone.
/// </summary>
internal static class Pipelines
{
    public static void Assign(
        IReadOnlyList<FeedPlan> feeds, IReadOnlyList<OperatorPlan> operators,
        IReadOnlyList<(int Output, RowRoot Root)> writers)
    {
        RowRoot[] roots = [.. feeds, .. operators];
        for (var i = 0; i < roots.Length; i++) roots[i].Pipeline = i;
        foreach (var root in roots)
        {
            foreach (var inlet in root.Inlets) Join(roots, root, inlet.Operator);
        }

        foreach (var analytic in roots.SelectMany(root => root.Analytics.Select(inlet => (root, inlet.Analytic)))
            .GroupBy(one => one.Analytic))
        {
            foreach (var (root, _) in analytic) Join(roots, analytic.First().root, root);
        }

        foreach (var output in writers.GroupBy(writer => writer.Output))
        {
            foreach (var (_, root) in output) Join(roots, output.First().Root, root);
        }
    }

    private static void Join(RowRoot[] roots, RowRoot a, RowRoot b)
    {
        var (kept, dropped) = (Math.Min(a.Pipeline, b.Pipeline), Math.Max(a.Pipeline, b.Pipeline));
        foreach (var root in roots)
        {
            if (root.Pipeline == dropped) root.Pipeline = kept;
        }
    }
}

/// <summary>What binding gives: the parts of a plan.</summary>
internal sealed record PlanParts(
    IReadOnlyList<InputPlan> Inputs, IReadOnlyList<FeedPlan> Feeds, IReadOnlyList<OperatorPlan> Operators,
    IReadOnlyList<AnalyticPlan> Analytics, IReadOnlyList<string> Outputs, int MemoCount,
    IReadOnlyList<string> References, IReadOnlyList<string> Models)
{
    /// <summary>
    /// Aggregates of one SELECT have arguments that differ in nothing but the case of names. They were one once, so
    /// that rows and states from then have another form.
    /// </summary>
    public bool TellsCasesApart { get; init; }

    /// <summary>The functions that rows of a pipeline are computed with.</summary>
    public IEnumerable<AnalyticPlan> AnalyticsOf(int pipeline)
    {
        IEnumerable<RowRoot> roots = [.. Feeds, .. Operators];
        return roots.Where(root => root.Pipeline == pipeline)
            .SelectMany(root => root.Analytics.Select(inlet => inlet.Analytic)).Distinct();
    }
}
