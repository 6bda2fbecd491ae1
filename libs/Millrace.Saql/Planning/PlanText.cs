using System.Text;

namespace Millrace.Saql.Planning;

/// <summary>A plan as a tree: what is read, where state is kept, what is written.</summary>
internal static class PlanText
{
    public static string Of(QueryPlan plan)
    {
        var text = new StringBuilder();
        text.AppendLine($"scope: {ScopeText.Of(plan)}");
        if (plan.Models.Count > 0) text.AppendLine($"models: {string.Join(", ", plan.Models)}; state: their versions");
        foreach (var feed in plan.Parts.Feeds)
        {
            text.AppendLine($"input {feed.Input.Name}");
            Line(text, 1, $"reads: {Reads(feed.Input)}");
            Line(text, 1, feed.TimestampBy is null
                ? "timestamp: arrival"
                : $"timestamp: {feed.TimestampText}; state: {Waiting(plan, feed)}");
            if (Timelines(plan, feed) is { } timelines) Line(text, 1, $"timelines: {timelines}");
            Takers(text, plan, feed);
        }

        return text.ToString();
    }

    private static void Takers(StringBuilder text, QueryPlan plan, FeedPlan feed)
    {
        List<RoutePlan> routes = [.. plan.Repartition?.RoutesOf(feed) ?? []];
        if (routes.Count < 2) Consumers(text, plan, feed, 1);
        else
        {
            foreach (var route in routes)
            {
                Line(text, 1, $"sent to the place of {route.Text}");
                Consumers(text, plan, route, 2);
            }
        }
    }

    private static string Waiting(QueryPlan plan, FeedPlan feed)
    {
        if (feed.Over.Count == 0) return "rows within the out-of-order tolerance";
        return !feed.HasTimelines || plan.Scope != QueryScope.PerPartition
            ? "rows within the late tolerance, and how far each substream is that was seen in it"
            : $"rows within {(IsAlone(plan, feed) ? "the out-of-order" : "the late")} tolerance, " +
                "and how far each substream is that was seen within the late one";
    }

    /// <summary>Null where all substreams share one.</summary>
    private static string? Timelines(QueryPlan plan, FeedPlan feed)
    {
        if (!feed.HasTimelines) return null;
        var one = IsAlone(plan, feed) ? "one for each substream" : "one for each substream, of all inputs together";
        return plan.Scope == QueryScope.PerPartition || feed.HasTimelinesByKey
            ? one
            : $"{one}, where all partitions are read in one place, else one for all";
    }

    /// <summary>Its rows are ordered with those of no other input.</summary>
    private static bool IsAlone(QueryPlan plan, FeedPlan feed) =>
        plan.Parts.Feeds.All(other => other == feed || other.Pipeline != feed.Pipeline);

    private static void Consumers(StringBuilder text, QueryPlan plan, RowRoot root, int level)
    {
        foreach (var output in root.Outputs)
        {
            var columns = string.Join(", ", output.Columns.Select(column => column.Name ?? "*"));
            Line(text, level, $"-> {plan.Outputs[output.Output]}: {columns}{Filters(output.Filters.Length)}");
        }

        foreach (var analytic in root.Analytics.Select(inlet => inlet.Analytic))
            Line(text, level, $"computes {analytic.Text}; state: {Kept(analytic)}");
        foreach (var inlet in root.Inlets)
        {
            if (inlet is WindowInlet { Operator: WindowPlan window } into) Window(text, plan, window, into, level);
            else Other(text, plan, inlet, level);
        }
    }

    private static void Window(StringBuilder text, QueryPlan plan, WindowPlan window, WindowInlet inlet, int level)
    {
        Line(text, level, $"{WindowText.Of(window)}{Filters(inlet.Filters.Length)}");
        Line(text, level + 1,
            $"group by: {(window.KeyTexts.Count == 0 ? "nothing (one group)" : string.Join(", ", window.KeyTexts))}");
        Line(text, level + 1, $"state: {WindowText.Kept(window)}");
        if (inlet == window.Sources[0]) Consumers(text, plan, window, level + 1);
        else Line(text, level + 1, "(joined with the rows above)");
    }

    /// <summary>Joins, patterns and APPLY.</summary>
    private static void Other(StringBuilder text, QueryPlan plan, Inlet inlet, int level)
    {
        var target = inlet.Operator;
        var side = inlet is JoinInlet { IsLeft: false } ? "right" : "left";
        Line(text, level, target switch
        {
            JoinPlan join => $"{(join.IsOuter ? "left join" : "join")}, {side} side: {join.Text}",
            ReferencePlan join =>
                $"{(join.IsOuter ? "left join" : "join")} with reference data {join.Data.Name}: {join.Text}",
            MatchPlan match => $"match_recognize, pattern: {match.Text}",
            ApplyPlan apply => $"{(apply.IsOuter ? "outer" : "cross")} apply " +
                (apply.OfRecord ? "GetRecordProperties" : "GetArrayElements"),
            _ => target.GetType().Name,
        } + Filters(inlet.Filters.Length));
        if (target is MatchPlan { KeyTexts.Count: > 0 } parted)
            Line(text, level + 1, $"partition by: {string.Join(", ", parted.KeyTexts)}");
        if (target is ReferencePlan reference)
        {
            Line(text, level + 1, $"reads: {Reads(reference.Data)}");
            foreach (var filter in reference.EntryFilterTexts) Line(text, level + 1, $"of entries with: {filter}");
        }

        var state = target switch
        {
            JoinPlan join => $"rows of both sides, {Bounds(join)}",
            ReferencePlan join => $"all entries of {join.Data.Name}",
            MatchPlan match => $"rows of the last {WindowText.Time(match.Duration)}",
            _ => null,
        };
        if (state is not null) Line(text, level + 1, $"state: {state}");
        if (inlet is JoinInlet { Index: > 0 } or ApplyInlet { Index: > 0 } or MatchInlet { Index: > 0 })
            Line(text, level + 1, "(joined with the rows above)");
        else Consumers(text, plan, target, level + 1);
    }

    private static string Bounds(JoinPlan join) => string.Join(" and ", join.Bounds.Select(bound =>
        $"{(bound.Low is { } low ? $"{low} to " : "up to ")}{(bound.High is { } high ? $"{high}" : "any")} " +
        $"boundaries of {WindowText.Time(bound.Unit)} apart"));

    private static string Kept(AnalyticPlan analytic)
    {
        var time = WindowText.Time(analytic.Duration);
        return analytic.Kind switch
        {
            AnalyticKind.Lag when analytic.Offset <= 1 => $"a value of each partition, for {time}",
            AnalyticKind.Lag => $"{analytic.Offset} values of each partition, for {time}",
            AnalyticKind.IsFirst => $"the partitions seen in {time}",
            AnalyticKind.Spike or AnalyticKind.Change =>
                $"the last {analytic.History} values of each partition, for {time}",
            _ => $"the values of the last {time}",
        };
    }

    private static string Reads(InputPlan input)
    {
        var names = input.Fields.Paths().ToList();
        if (input.Fields.Slot >= 0) names.Insert(0, "the whole body");
        names.AddRange(input.Metadata.Keys.Select(field => field.ToString()));
        return names.Count == 0 ? "nothing" : string.Join(", ", names);
    }

    private static string Filters(int count) => count switch { 0 => "", 1 => ", 1 filter", _ => $", {count} filters" };

    private static void Line(StringBuilder text, int level, string content) =>
        text.Append(' ', level * 2).AppendLine(content);
}
