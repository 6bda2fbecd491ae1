using Millrace.Primitives;

namespace Millrace.Saql.Planning;

/// <summary>A window, and what is kept for it, for people.</summary>
internal static class WindowText
{
    public static string Of(WindowPlan window)
    {
        var spec = window.Spec;
        var id = spec.Id is null ? "" : $" '{spec.Id}'";
        var offset = spec.Offset == 0 ? "" : $", offset {Time(spec.Offset)}";
        if (spec.IsSnapshot) return $"snapshot window{id}";
        if (spec.Kind == WindowKind.Sliding) return $"sliding window{id} of {Time(spec.Size)}";
        if (spec.Kind == WindowKind.Session)
        {
            var keys = window.SessionKeyTexts.Count == 0 ? "one for all rows"
                : $"one for each {string.Join(", ", window.SessionKeyTexts)}";
            return $"session window{id} that ends after {Time(spec.Timeout)} without a row, looked at every " +
                $"{Time(spec.DurationMax)}; {keys}";
        }

        return spec.IsTumbling
            ? $"tumbling window{id} of {Time(spec.Size)}{offset}"
            : $"hopping window{id} of {Time(spec.Size)} every {Time(spec.Hop)}{offset}";
    }

    public static string Kept(WindowPlan window)
    {
        var values = window.Accumulators.Select(accumulator => Held(accumulator.Kind)).Distinct().ToList();
        var each = values.Count == 0 ? "" : $", each with {string.Join(", ", values)}";
        if (window.Spec.Kind == WindowKind.Sliding)
            return $"the rows of the last {Time(window.Spec.Size)}, and groups of them{each}";
        if (window.Spec.Kind == WindowKind.Session) return $"groups of open sessions{each}";
        var open = window.Spec.IsTumbling ? 1 : (window.Spec.Size + window.Spec.Hop - 1) / window.Spec.Hop;
        return $"groups of {(open == 1 ? "the open window" : $"{open} open windows")}{each}";
    }

    public static string Time(long ticks) => ticks % TimeSpan.TicksPerMillisecond == 0
        ? DurationText.Format(TimeSpan.FromTicks(ticks))
        : $"{ticks / TimeSpan.TicksPerMicrosecond}us";

    private static string Held(AccumulatorKind kind) => kind switch
    {
        AccumulatorKind.CountRows => "a count of rows",
        AccumulatorKind.Count => "a count of values",
        AccumulatorKind.CountDistinct => "all different values",
        AccumulatorKind.Sum => "a sum and a count",
        AccumulatorKind.Min => "the least value",
        AccumulatorKind.Max => "the greatest value",
        AccumulatorKind.Moments => "mean and variance",
        AccumulatorKind.Values => "all values",
        _ => "all numbers",
    };
}
