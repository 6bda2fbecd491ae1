using System.Globalization;
using Millrace.ColdPath.Catalog;
using Millrace.Delta.Schema;

namespace Millrace.ColdPath.Runs;

/// <summary>A day or an hour of UTC, whose results a run makes.</summary>
internal readonly record struct TimePart(JobPart Kind, DateTimeOffset From)
{
    private const string DayColumn = "part_day";
    private const string HourColumn = "part_hour";

    public DateTimeOffset To => From + LengthOf(Kind);

    /// <summary>Such as <c>2026-11-22</c> or <c>2026-11-22T07</c>.</summary>
    public string Name => From.ToString(FormatOf(Kind), CultureInfo.InvariantCulture);

    /// <summary>The values by which the result table finds the part's files.</summary>
    public IReadOnlyDictionary<string, string> Values => Kind == JobPart.Day
        ? new Dictionary<string, string> { [DayColumn] = Day }
        : new Dictionary<string, string>
        {
            [DayColumn] = Day,
            [HourColumn] = From.Hour.ToString(CultureInfo.InvariantCulture),
        };

    private string Day => From.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>The columns by which a table with such parts is partitioned.</summary>
    public static IReadOnlyList<DeltaColumn> ColumnsOf(JobPart kind)
    {
        var day = new DeltaColumn(DayColumn, DeltaType.Date, Nullable: false);
        return kind == JobPart.Day ? [day] : [day, new DeltaColumn(HourColumn, DeltaType.Integer, Nullable: false)];
    }

    /// <summary>The part that the moment is in.</summary>
    public static TimePart Of(JobPart kind, DateTimeOffset at)
    {
        var ticks = at.UtcTicks;
        return new TimePart(kind, new DateTimeOffset(ticks - (ticks % LengthOf(kind).Ticks), TimeSpan.Zero));
    }

    /// <summary>The part of that name, or null when it is none.</summary>
    public static TimePart? Parse(JobPart kind, string name)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParseExact(name, FormatOf(kind), CultureInfo.InvariantCulture, utc, out var from)
            ? new TimePart(kind, from)
            : null;
    }

    /// <summary>The parts that have something of the time between the two, in order.</summary>
    public static IEnumerable<TimePart> Between(JobPart kind, DateTimeOffset from, DateTimeOffset to)
    {
        for (var part = Of(kind, from); part.From < to; part = Of(kind, part.To)) yield return part;
    }

    /// <summary>The parts that ended after the one moment, and not after the other.</summary>
    public static IEnumerable<TimePart> EndedWithin(JobPart kind, DateTimeOffset after, DateTimeOffset upTo) =>
        Between(kind, after, upTo).Where(part => part.To <= upTo);

    private static string FormatOf(JobPart kind) => kind == JobPart.Day ? "yyyy-MM-dd" : "yyyy-MM-dd'T'HH";

    private static TimeSpan LengthOf(JobPart kind) =>
        kind == JobPart.Day ? TimeSpan.FromDays(1) : TimeSpan.FromHours(1);
}
