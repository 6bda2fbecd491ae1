using System.Globalization;
using System.Text;
using Millrace.Delta.Log;

namespace Millrace.Delta.Pruning;

/// <summary>Whether a file may hold what is asked for, by its partition and statistics. In doubt it may.</summary>
internal static class FilePruning
{
    /// <summary>Statistics have times cut to the millisecond, so the greatest may be almost one later.</summary>
    private static readonly TimeSpan TimeGrain = TimeSpan.FromMilliseconds(1);

    public static bool MayHold(AddFile file, IReadOnlyList<ColumnRange> ranges) => ranges.All(range =>
        file.PartitionValues.TryGetValue(range.Column, out var value)
            ? MayHold(value, value, range)
            : MayHold(file.Stats, range));

    /// <summary>As far as the statistics tell.</summary>
    public static bool MayHold(FileStats? stats, ColumnRange range) =>
        stats?.Find(range.Column) is not { } column || MayHold(column.Min, column.Max, range);

    private static bool MayHold(object? min, object? max, ColumnRange range)
    {
        if (range.From is not null && Compare(max, range.From, TimeGrain) < 0) return false;
        return range.To is null || Compare(min, range.To, TimeSpan.Zero) is not > 0;
    }

    /// <summary>Null when the two cannot be compared for certain.</summary>
    private static int? Compare(object? known, object bound, TimeSpan slack) => bound switch
    {
        DateTimeOffset time when TimeOf(known) is { } knownTime => CompareTimes(knownTime, slack, time),
        DateOnly day when known is string text && DateOnly.TryParseExact(text, "yyyy-MM-dd", out var knownDay) =>
            knownDay.CompareTo(day),
        string text when known is string knownText && Ascii.IsValid(text) && Ascii.IsValid(knownText) =>
            string.CompareOrdinal(knownText, text),
        double.NaN => null,
        long or int or double when NumberOf(known) is { } number =>
            number.CompareTo(Convert.ToDouble(bound, CultureInfo.InvariantCulture)),
        _ => null,
    };

    /// <summary>The last moment that there is has none after it.</summary>
    private static int CompareTimes(DateTimeOffset known, TimeSpan slack, DateTimeOffset bound) =>
        (DateTimeOffset.MaxValue - known < slack ? DateTimeOffset.MaxValue : known + slack).CompareTo(bound);

    private static DateTimeOffset? TimeOf(object? known) =>
        known is string text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    /// <summary>Whole numbers beyond 2^53 lose their last digits as doubles: for these, nothing is certain.</summary>
    private static double? NumberOf(object? known) => known switch
    {
        long whole when Math.Abs((double)whole) < 1L << 53 => whole,
        double number => number,
        string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) =>
            n,
        _ => null,
    };
}
