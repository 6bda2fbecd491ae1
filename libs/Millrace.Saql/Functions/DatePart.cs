namespace Millrace.Saql.Functions;

internal enum DatePart : byte
{
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Week,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
}

/// <summary>The words for date parts, and arithmetic with them.</summary>
internal static class DateParts
{
    /// <summary>The year 1 began on a Monday; weeks begin on Sunday.</summary>
    private const int DaysBeforeFirstMonday = 1;

    private static readonly Dictionary<string, DatePart> ByWord = new(StringComparer.OrdinalIgnoreCase)
    {
        ["year"] = DatePart.Year,
        ["yy"] = DatePart.Year,
        ["yyyy"] = DatePart.Year,
        ["quarter"] = DatePart.Quarter,
        ["qq"] = DatePart.Quarter,
        ["q"] = DatePart.Quarter,
        ["month"] = DatePart.Month,
        ["mm"] = DatePart.Month,
        ["m"] = DatePart.Month,
        ["dayofyear"] = DatePart.DayOfYear,
        ["dy"] = DatePart.DayOfYear,
        ["y"] = DatePart.DayOfYear,
        ["day"] = DatePart.Day,
        ["dd"] = DatePart.Day,
        ["d"] = DatePart.Day,
        ["week"] = DatePart.Week,
        ["wk"] = DatePart.Week,
        ["ww"] = DatePart.Week,
        ["weekday"] = DatePart.Weekday,
        ["dw"] = DatePart.Weekday,
        ["w"] = DatePart.Weekday,
        ["hour"] = DatePart.Hour,
        ["hh"] = DatePart.Hour,
        ["minute"] = DatePart.Minute,
        ["mi"] = DatePart.Minute,
        ["n"] = DatePart.Minute,
        ["second"] = DatePart.Second,
        ["ss"] = DatePart.Second,
        ["s"] = DatePart.Second,
        ["millisecond"] = DatePart.Millisecond,
        ["ms"] = DatePart.Millisecond,
        ["microsecond"] = DatePart.Microsecond,
        ["mcs"] = DatePart.Microsecond,
    };

    public static IEnumerable<string> Words => ByWord.Keys;

    public static bool TryParse(string word, out DatePart part) => ByWord.TryGetValue(word, out part);

    /// <summary>days, hours and the like, where a number follows.</summary>
    public static bool TryParsePlural(string word, out DatePart part)
    {
        part = default;
        return word.Length > 3 && word.EndsWith('s') && TryParse(word[..^1], out part);
    }

    /// <summary>Ticks of a part of fixed length; 0 for months and longer.</summary>
    public static long TicksOf(DatePart part) => part switch
    {
        DatePart.DayOfYear or DatePart.Day or DatePart.Weekday => TimeSpan.TicksPerDay,
        DatePart.Week => 7 * TimeSpan.TicksPerDay,
        DatePart.Hour => TimeSpan.TicksPerHour,
        DatePart.Minute => TimeSpan.TicksPerMinute,
        DatePart.Second => TimeSpan.TicksPerSecond,
        DatePart.Millisecond => TimeSpan.TicksPerMillisecond,
        DatePart.Microsecond => TimeSpan.TicksPerMicrosecond,
        _ => 0,
    };

    /// <summary>Ticks of a part of fixed length that had passed when time began.</summary>
    public static long TicksBeforeFirst(DatePart part) =>
        part == DatePart.Week ? DaysBeforeFirstMonday * TimeSpan.TicksPerDay : 0;

    /// <summary>
    /// The time plus so many parts, the day cut to the end of a shorter month; false outside the years 1 to 9999.
    /// </summary>
    public static bool TryAdd(DatePart part, long count, long ticks, out long result)
    {
        result = 0;
        var unit = TicksOf(part);
        if (unit > 0)
        {
            var sum = ticks + ((Int128)unit * count);
            result = (long)Int128.Clamp(sum, -1, long.MaxValue);
            return Values.DateTimeText.IsInRange(result);
        }

        var months = (Int128)count * (part == DatePart.Year ? 12 : part == DatePart.Quarter ? 3 : 1);
        var time = new DateTime(ticks);
        var total = months + (time.Year * 12) + time.Month - 1;
        if (total < 12 || total >= 120_000) return false;
        result = time.AddMonths((int)months).Ticks;
        return true;
    }

    /// <summary>How many boundaries of the part lie between the times.</summary>
    public static long Boundaries(DatePart part, long from, long to) => Index(part, to) - Index(part, from);

    public static long Of(DatePart part, long ticks)
    {
        var time = new DateTime(ticks);
        return part switch
        {
            DatePart.Year => time.Year,
            DatePart.Quarter => ((time.Month - 1) / 3) + 1,
            DatePart.Month => time.Month,
            DatePart.DayOfYear => time.DayOfYear,
            DatePart.Day => time.Day,
            DatePart.Week => ((time.DayOfYear - 1 + (int)new DateTime(time.Year, 1, 1).DayOfWeek) / 7) + 1,
            DatePart.Weekday => (int)time.DayOfWeek + 1,
            DatePart.Hour => time.Hour,
            DatePart.Minute => time.Minute,
            DatePart.Second => time.Second,
            DatePart.Millisecond => time.Millisecond,
            _ => ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond,
        };
    }

    private static long Index(DatePart part, long ticks)
    {
        var time = new DateTime(ticks);
        return part switch
        {
            DatePart.Year => time.Year,
            DatePart.Quarter => (time.Year * 4) + ((time.Month - 1) / 3),
            DatePart.Month => (time.Year * 12) + time.Month,
            _ => (ticks + TicksBeforeFirst(part)) / TicksOf(part),
        };
    }
}
