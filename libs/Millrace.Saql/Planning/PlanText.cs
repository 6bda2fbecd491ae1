using System.Text;

namespace Millrace.Saql.Planning;

/// <summary>A plan as a tree: what is read, where state is kept, what is written.</summary>
internal static class PlanText
{
    public static string Of(QueryPlan plan)
    {
        var text = new StringBuilder();
        text.AppendLine($"scope: {Scope(plan)}");
        if (plan.Models.Count > 0) text.AppendLine($"models: {string.Join(", ", plan.Models)}; state: their versions");
        foreach (var feed in plan.Parts.Feeds)
        {
            text.AppendLine($"input {feed.Input.Name}");
            Line(text, 1, $"reads: {Reads(feed.Input)}");
            Line(text, 1, feed.TimestampBy is null
                ? "timestamp: arrival"
                : $"timestamp: {feed.TimestampKey}; state: rows within the out-of-order tolerance");
            Consumers(text, plan, feed, 1);
        }

        return text.ToString();
    }

    private static void Consumers(StringBuilder text, QueryPlan plan, RowRoot root, int level)
    {
        foreach (var output in root.Outputs)
        {
            var columns = string.Join(", ", output.Columns.Select(column => column.Name ?? "*"));
            Line(text, level, $"-> {plan.Outputs[output.Output]}: {columns}{Filters(output.Filters.Length)}");
        }

        foreach (var analytic in root.Analytics.Select(inlet => inlet.Analytic))
            Line(text, level, $"computes {analytic.Text}; state: {Kept(analytic)}");
        foreach (var inlet in root.Inlets) Operator(text, plan, inlet, level);
    }

    private static void Operator(StringBuilder text, QueryPlan plan, Inlet inlet, int level)
    {
        if (inlet is not WindowInlet { Operator: WindowPlan window })
        {
            Join(text, plan, inlet, level);
            return;
        }

        Line(text, level, $"{Window(window.Spec)}{Filters(inlet.Filters.Length)}");
        Line(text, level + 1,
            $"group by: {(window.KeyTexts.Count == 0 ? "nothing (one group)" : string.Join(", ", window.KeyTexts))}");
        var aggregates = window.Accumulators.Select(accumulator => accumulator.Kind.ToString());
        Line(text, level + 1, window.Spec.Kind switch
        {
            WindowKind.Sliding => $"state: the rows of the last {TimeSpan.FromTicks(window.Spec.Size):c}",
            WindowKind.Session => $"state: groups of open sessions, each with {List(aggregates)}",
            _ => $"state: groups of {Held(window)} open windows, each with {List(aggregates)}",
        });
        if (inlet == window.Sources[0]) Consumers(text, plan, window, level + 1);
        else Line(text, level + 1, "(joined with the rows above)");
    }

    private static void Join(StringBuilder text, QueryPlan plan, Inlet inlet, int level)
    {
        var target = inlet.Operator;
        var side = inlet is JoinInlet { IsLeft: false } ? "right" : "left";
        Line(text, level, target switch
        {
            JoinPlan join => $"{(join.IsOuter ? "left join" : "join")}, {side} side: {join.Text}",
            ReferencePlan join =>
                $"{(join.IsOuter ? "left join" : "join")} with reference {join.Data.Name}: {join.Text}",
            MatchPlan match =>
                $"match_recognize {match.Text}; state: rows of the last {TimeSpan.FromTicks(match.Duration):c}",
            ApplyPlan apply => $"{(apply.IsOuter ? "outer" : "cross")} apply",
            _ => target.GetType().Name,
        } + Filters(inlet.Filters.Length));
        if (target is JoinPlan kept) Line(text, level + 1, $"state: rows of both sides, {Bounds(kept)}");
        if (inlet is JoinInlet { Index: > 0 } or ApplyInlet { Index: > 0 } or MatchInlet { Index: > 0 })
            Line(text, level + 1, "(joined with the rows above)");
        else Consumers(text, plan, target, level + 1);
    }

    private static string Bounds(JoinPlan join) => string.Join(" and ", join.Bounds.Select(bound =>
        $"{(bound.Low is { } low ? $"{low} to " : "up to ")}{(bound.High is { } high ? $"{high}" : "any")} times " +
        $"{TimeSpan.FromTicks(bound.Unit):c} apart"));

    private static string Kept(AnalyticPlan analytic) => analytic.Kind switch
    {
        AnalyticKind.Lag => $"{Math.Max(1, analytic.Offset)} values of each partition, " +
            $"for {TimeSpan.FromTicks(analytic.Duration):c}",
        AnalyticKind.IsFirst => $"the partitions seen in {TimeSpan.FromTicks(analytic.Duration):c}",
        _ => $"the values of the last {TimeSpan.FromTicks(analytic.Duration):c}",
    };

    private static string Scope(QueryPlan plan)
    {
        var operators = plan.Parts.Operators;
        if (operators.Count == 0 && plan.Parts.Analytics.Count == 0) return "each partition for itself: no state";
        if (plan.Scope == QueryScope.PerPartition)
            return "each partition for itself: every GROUP BY has the device id or PartitionId";
        if (plan.Repartition is { } parted)
            return $"each key for itself: rows go by repartition.<query> to the place of {parted.Text}";
        var first = operators.OfType<WindowPlan>().FirstOrDefault(window => !window.IsPartitionLocal);
        var cause = first is not null ? Window(first.Spec)
            : operators.OfType<JoinPlan>().FirstOrDefault(join => !join.IsPartitionLocal) is { } join
                ? $"join on {join.Text}"
                : operators.OfType<MatchPlan>().FirstOrDefault(one => !one.IsPartitionLocal) is { } match
                ? $"match_recognize {match.Text}"
                : plan.Parts.Analytics.First(one => !one.IsPartitionLocal).Text;
        return $"one answer over all partitions: {cause}\n" +
            "  (there is no key by which all that it groups, joins or looks back at could be parted)";
    }

    private static string Reads(InputPlan input)
    {
        var names = input.Fields.Paths().ToList();
        if (input.Fields.Slot >= 0) names.Insert(0, "the whole body");
        names.AddRange(input.Metadata.Keys.Select(field =>
            field.Name.Length > 0 ? $"header {field.Name}" : field.Kind.ToString()));
        return List(names);
    }

    private static string Window(WindowSpec spec)
    {
        var offset = spec.Offset == 0 ? "" : $", offset {TimeSpan.FromTicks(spec.Offset):c}";
        if (spec.IsSnapshot) return "snapshot window";
        if (spec.Kind == WindowKind.Sliding) return $"sliding window of {TimeSpan.FromTicks(spec.Size):c}";
        if (spec.Kind == WindowKind.Session)
            return $"session window with silence of {TimeSpan.FromTicks(spec.Timeout):c}, looked at every " +
                $"{TimeSpan.FromTicks(spec.DurationMax):c}";
        return spec.IsTumbling
            ? $"tumbling window of {TimeSpan.FromTicks(spec.Size):c}{offset}"
            : $"hopping window of {TimeSpan.FromTicks(spec.Size):c} every {TimeSpan.FromTicks(spec.Hop):c}{offset}";
    }

    private static long Held(WindowPlan window) =>
        window.Spec.IsTumbling ? 1 : (window.Spec.Size + window.Spec.Hop - 1) / window.Spec.Hop;

    private static string Filters(int count) => count switch { 0 => "", 1 => ", 1 filter", _ => $", {count} filters" };

    private static string List(IEnumerable<string> names)
    {
        var text = string.Join(", ", names);
        return text.Length == 0 ? "nothing" : text;
    }

    private static void Line(StringBuilder text, int level, string content) =>
        text.Append(' ', level * 2).AppendLine(content);
}
