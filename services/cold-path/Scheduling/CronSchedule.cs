using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Millrace.ColdPath.Scheduling;

/// <summary>
/// Times by five fields, in UTC: minute, hour, day of the month, month, and day of the week (0 and 7 are Sunday). A
/// field is <c>*</c>, a number, a range <c>1-5</c>, each with a step <c>*/15</c>, or several of these with commas
/// between. When both days are given, either is enough.
/// </summary>
internal sealed class CronSchedule
{
    private const int YearsMax = 8;
    private static readonly (string Name, int Least, int Most)[] Fields =
        [("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

    private readonly bool[][] _allowed;
    private readonly bool _anyDay;
    private readonly bool _anyWeekday;

    private CronSchedule(bool[][] allowed, bool anyDay, bool anyWeekday) =>
        (_allowed, _anyDay, _anyWeekday) = (allowed, anyDay, anyWeekday);

    /// <summary>Reads one; when it is wrong, says what is.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out CronSchedule? schedule, [NotNullWhen(false)] out string? wrong)
    {
        (schedule, wrong) = (null, null);
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != Fields.Length)
        {
            wrong = "it has not five fields";
            return false;
        }

        var allowed = new bool[Fields.Length][];
        for (var i = 0; i < Fields.Length; i++)
        {
            if (Values(parts[i], Fields[i].Least, Fields[i].Most) is not { } values)
            {
                wrong = $"the {Fields[i].Name} '{parts[i]}' is not within {Fields[i].Least} to {Fields[i].Most}";
                return false;
            }

            allowed[i] = values;
        }

        allowed[4][0] |= allowed[4][7];
        schedule = new CronSchedule(allowed, parts[2].StartsWith('*'), parts[4].StartsWith('*'));
        return true;
    }

    /// <summary>The first time after the given one; null when there is none for years, as on 30 February.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        var at = Minute(after.ToUniversalTime()).AddMinutes(1);
        for (var end = at.AddYears(YearsMax); at < end;)
        {
            if (!_allowed[3][at.Month]) at = Day(at).AddDays(1 - at.Day).AddMonths(1);
            else if (!IsDay(at)) at = Day(at).AddDays(1);
            else if (!_allowed[1][at.Hour]) at = Day(at).AddHours(at.Hour + 1);
            else if (!_allowed[0][at.Minute]) at = at.AddMinutes(1);
            else return at;
        }

        return null;
    }

    private bool IsDay(DateTimeOffset at)
    {
        var (day, weekday) = (_allowed[2][at.Day], _allowed[4][(int)at.DayOfWeek]);
        return _anyDay || _anyWeekday ? day && weekday : day || weekday;
    }

    private static DateTimeOffset Minute(DateTimeOffset at) => Day(at).AddMinutes((at.Hour * 60) + at.Minute);

    private static DateTimeOffset Day(DateTimeOffset at) => new(at.Year, at.Month, at.Day, 0, 0, 0, TimeSpan.Zero);

    private static bool[]? Values(string field, int least, int most)
    {
        var values = new bool[most + 1];
        foreach (var item in field.Split(','))
        {
            var step = item.Split('/');
            var every = 1;
            if (step.Length > 2 || (step.Length == 2 && (!TryNumber(step[1], out every) || every == 0))) return null;
            if (!TryRange(step[0], least, most, isOpen: step.Length == 2, out var from, out var to)) return null;
            for (var value = from; value <= to; value += every) values[value] = true;
        }

        return values;
    }

    private static bool TryRange(string text, int least, int most, bool isOpen, out int from, out int to)
    {
        (from, to) = (least, most);
        if (text == "*") return true;
        var ends = text.Split('-');
        if (ends.Length > 2 || !TryNumber(ends[0], out from)) return false;
        to = isOpen ? most : from;
        if (ends.Length == 2 && !TryNumber(ends[1], out to)) return false;
        return from >= least && from <= to && to <= most;
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
