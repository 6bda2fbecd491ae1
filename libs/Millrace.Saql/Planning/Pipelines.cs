namespace Millrace.Saql.Planning;

/// <summary>
/// Parts a plan into pipelines, each with a timeline of its own: inputs that meet in a window or in an output belong
/// together, so that the order of an output's rows depends on the records alone.
/// </summary>
internal static class Pipelines
{
    public static void Assign(
        IReadOnlyList<FeedPlan> feeds, IReadOnlyList<WindowPlan> windows,
        IReadOnlyList<(int Output, RowRoot Root)> writers)
    {
        RowRoot[] roots = [.. feeds, .. windows];
        for (var i = 0; i < roots.Length; i++) roots[i].Pipeline = i;
        foreach (var root in roots)
        {
            foreach (var inlet in root.Windows) Join(roots, root, inlet.Window);
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
    IReadOnlyList<InputPlan> Inputs, IReadOnlyList<FeedPlan> Feeds, IReadOnlyList<WindowPlan> Windows,
    IReadOnlyList<string> Outputs, int MemoCount);
