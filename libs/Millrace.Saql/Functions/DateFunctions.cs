using System.Globalization;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Date and time functions; those with a date part are made for it.</summary>
internal static class DateFunctions
{
    public static IEnumerable<Function> All { get; } =
    [
        Part("YEAR", DatePart.Year),
        Part("MONTH", DatePart.Month),
        Part("DAY", DatePart.Day),
        new("DATETIMEFROMPARTS", [.. Enumerable.Repeat(Parameter.Integer, 7)], ValueKind.DateTime, FromParts),
    ];

    public static IReadOnlyList<string> WithPart { get; } = ["DATEADD", "DATEDIFF", "DATEPART", "DATENAME"];

    /// <summary>The function of this name for one date part: its other parameters follow.</summary>
    public static Function For(string name, DatePart part) => name switch
    {
        "DATEADD" => new(name, [Parameter.Integer, Parameter.DateTime], ValueKind.DateTime,
            (frame, values) => Add(frame, part, values[0].Integer, values[1].Ticks)),
        "DATEDIFF" => new(name, [Parameter.DateTime, Parameter.DateTime], ValueKind.BigInt,
            (_, values) => Value.Of(DateParts.Boundaries(part, values[0].Ticks, values[1].Ticks))),
        "DATEPART" => Part(name, part),
        _ => new(name, [Parameter.DateTime], ValueKind.Text, (frame, values) => Name(frame, part, values[0].Ticks)),
    };

    private static Function Part(string name, DatePart part) => new(name, [Parameter.DateTime], ValueKind.BigInt,
        (_, values) => Value.Of(DateParts.Of(part, values[0].Ticks)));

    private static Value Add(Frame frame, DatePart part, long count, long ticks) =>
        DateParts.TryAdd(part, count, ticks, out var result)
            ? Value.OfTicks(result)
            : frame.Fail(SaqlErrors.Overflow,
                $"DATEADD({part}, {count}, {Shown.Of(Value.OfTicks(ticks))}) leaves the years 1 to 9999.");

    private static Value Name(Frame frame, DatePart part, long ticks)
    {
        var names = CultureInfo.InvariantCulture.DateTimeFormat;
        var number = DateParts.Of(part, ticks);
        return part switch
        {
            DatePart.Month => frame.Arena.Add(names.GetMonthName((int)number)),
            DatePart.Weekday => frame.Arena.Add(names.GetDayName((DayOfWeek)(number - 1))),
            _ => frame.Arena.Commit(ValueKind.Text,
                NumberText.Write(number, frame.Arena.Reserve(NumberText.LengthMax))),
        };
    }

    private static Value FromParts(Frame frame, ReadOnlySpan<Value> values)
    {
        long year = values[0].Integer, month = values[1].Integer, day = values[2].Integer;
        long hour = values[3].Integer, minute = values[4].Integer, second = values[5].Integer, ms = values[6].Integer;
        var isDate = year is >= 1 and <= 9999 && month is >= 1 and <= 12 && day >= 1 &&
            day <= DateTime.DaysInMonth((int)year, (int)month);
        var isTime = hour is >= 0 and <= 23 && minute is >= 0 and <= 59 && second is >= 0 and <= 59
            && ms is >= 0 and <= 999;
        if (!isDate || !isTime)
        {
            return frame.Fail(SaqlErrors.BadArgumentValue,
                $"DATETIMEFROMPARTS({year}, {month}, {day}, {hour}, {minute}, {second}, {ms}) is no time.");
        }

        var date = new DateTime((int)year, (int)month, (int)day, (int)hour, (int)minute, (int)second, (int)ms);
        return Value.OfTicks(date.Ticks);
    }
}
