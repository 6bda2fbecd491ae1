using System.Globalization;
using Apache.Arrow.Types;

namespace Millrace.ColdPath.Formats;

/// <summary>
/// Times in ISO 8601 UTC. Engines know years long before and after those of .NET; they are written with a sign, as the
/// standard has it: +290000-12-31.
/// </summary>
internal static class ArrowTime
{
    private const int DaysOfCycle = 146_097;
    private const int YearsOfCycle = 400;

    private static readonly int Epoch = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    /// <param name="days">Since 1970.</param>
    public static string Date(long days)
    {
        var number = Epoch + days;
        if (number >= 0 && number <= DateOnly.MaxValue.DayNumber)
            return DateOnly.FromDayNumber((int)number).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        // The calendar comes again every 400 years.
        var cycles = (long)Math.Floor((double)number / DaysOfCycle);
        var alike = DateOnly.FromDayNumber((int)(number - cycles * DaysOfCycle));
        return string.Create(CultureInfo.InvariantCulture,
            $"{alike.Year + cycles * YearsOfCycle:+0000;-0000}-{alike.Month:00}-{alike.Day:00}");
    }

    /// <param name="ticks">Since midnight; the end of the day, 24:00:00, is a time of its own.</param>
    public static string Clock(long ticks) => ticks == TimeSpan.TicksPerDay
        ? "24:00:00"
        : new TimeOnly(ticks).ToString("HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture);

    /// <param name="value">Since 1970.</param>
    public static string Moment(long value, TimeUnit unit)
    {
        var unitsOfDay = unit switch
        {
            TimeUnit.Second => TimeSpan.SecondsPerDay,
            TimeUnit.Millisecond => TimeSpan.MillisecondsPerDay,
            TimeUnit.Microsecond => TimeSpan.MicrosecondsPerDay,
            _ => TimeSpan.TicksPerDay * TimeSpan.NanosecondsPerTick,
        };
        var (days, rest) = Math.DivRem(value, unitsOfDay);
        if (rest < 0) (days, rest) = (days - 1, rest + unitsOfDay);
        var ticks = unitsOfDay > TimeSpan.TicksPerDay
            ? rest / TimeSpan.NanosecondsPerTick
            : rest * (TimeSpan.TicksPerDay / unitsOfDay);
        return $"{Date(days)}T{Clock(ticks)}Z";
    }
}
