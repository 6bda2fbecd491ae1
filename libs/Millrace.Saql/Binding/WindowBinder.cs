using Millrace.Saql.Functions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>The window of a GROUP BY: constants to bounds.</summary>
internal sealed class WindowBinder(Diagnostics diagnostics)
{
    private static readonly long SizeMax = TimeSpan.FromDays(7).Ticks;

    public static IReadOnlyList<string> Names { get; } =
        ["TumblingWindow", "Tumbling", "HoppingWindow", "Hopping"];

    private static readonly string[] LaterNames =
        ["SLIDINGWINDOW", "SLIDING", "SESSIONWINDOW", "SESSION", "WINDOWS"];

    public static bool IsWindow(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    public static bool IsWindowOfAnyKind(ExpressionSyntax syntax) => syntax is CallSyntax call &&
        (IsWindow(call.Name) || LaterNames.Contains(call.Name, StringComparer.OrdinalIgnoreCase));

    /// <summary>Null (and told) when the window is not valid.</summary>
    public WindowSpec? Bind(CallSyntax call)
    {
        if (!IsWindow(call.Name))
        {
            diagnostics.Add(SaqlErrors.NotSupportedYet, call.NamePlace,
                $"Not supported yet: {call.Name}; there are TumblingWindow, HoppingWindow and System.Timestamp().");
            return null;
        }

        var isHopping = call.Name.StartsWith("Hop", StringComparison.OrdinalIgnoreCase);
        return call.Arguments.Count > 0 && IsPart(call.Arguments[0], "Duration")
            ? BindParts(call, isHopping)
            : BindNumbers(call, isHopping);
    }

    /// <summary>TumblingWindow(unit, size [, offset]), HoppingWindow(unit, size, hop [, offset]).</summary>
    private WindowSpec? BindNumbers(CallSyntax call, bool isHopping)
    {
        var needed = isHopping ? 3 : 2;
        if (call.Arguments.Count < needed || call.Arguments.Count > needed + 1) return Shape(call, isHopping);
        if (Unit(call.Arguments[0]) is not { } unit) return null;
        var size = Length(call.Arguments[1], unit);
        var hop = isHopping ? Length(call.Arguments[2], unit) : size;
        long? offset = 0;
        if (call.Arguments.Count > needed)
        {
            var last = call.Arguments[needed];
            offset = IsPart(last, "Offset") ? PartLength((CallSyntax)last) : Length(last, unit);
        }

        return Checked(call, size, hop, offset);
    }

    /// <summary>
    /// TumblingWindow(Duration(unit, n) [, Offset(unit, n)]), HoppingWindow(Duration, Hop [, Offset]).
    /// </summary>
    private WindowSpec? BindParts(CallSyntax call, bool isHopping)
    {
        long? size = null, hop = null, offset = 0;
        for (var i = 0; i < call.Arguments.Count; i++)
        {
            var argument = call.Arguments[i];
            if (i == 0) size = PartLength((CallSyntax)argument);
            else if (i == 1 && isHopping && IsPart(argument, "Hop")) hop = PartLength((CallSyntax)argument);
            else if (i == (isHopping ? 2 : 1) && IsPart(argument, "Offset")) offset = PartLength((CallSyntax)argument);
            else return Shape(call, isHopping);
        }

        if (isHopping && call.Arguments.Count < 2) return Shape(call, isHopping);
        return Checked(call, size, isHopping ? hop : size, offset);
    }

    private WindowSpec? Shape(CallSyntax call, bool isHopping)
    {
        var shape = isHopping
            ? "HoppingWindow(unit, size, hop [, offset]) or HoppingWindow(Duration(unit, n), Hop(unit, n) [, " +
                "Offset(unit, n)])"
            : "TumblingWindow(unit, size [, offset]) or TumblingWindow(Duration(unit, n) [, Offset(unit, n)])";
        diagnostics.Add(SaqlErrors.BadWindow, call.Place, $"Expected {shape}.");
        return null;
    }

    private WindowSpec? Checked(CallSyntax call, long? size, long? hop, long? offset)
    {
        if (size is null || hop is null || offset is null) return null;
        foreach (var (length, what) in new[] { (size.Value, "size"), (hop.Value, "hop") })
        {
            if (length >= TimeSpan.TicksPerMillisecond && length <= SizeMax) continue;
            diagnostics.Add(SaqlErrors.BadWindow, call.Place,
                $"The {what} of a window lies between 1 millisecond and 7 days; found {TimeSpan.FromTicks(length):c}.");
            return null;
        }

        return new WindowSpec(null, size.Value, hop.Value, offset.Value);
    }

    private static bool IsPart(ExpressionSyntax syntax, string name) => syntax is CallSyntax call && call.Is(name);

    private long? PartLength(CallSyntax part)
    {
        if (part.Arguments.Count == 2)
            return Unit(part.Arguments[0]) is { } unit ? Length(part.Arguments[1], unit) : null;
        diagnostics.Add(SaqlErrors.BadWindow, part.Place, $"Expected {part.Name}(unit, number).");
        return null;
    }

    private long? Unit(ExpressionSyntax syntax)
    {
        var word = syntax is NameSyntax { Parts: [var only] } ? only.Text : "";
        if (DateParts.TryParse(word, out var part) && part is DatePart.Day or DatePart.Hour or DatePart.Minute or
            DatePart.Second or DatePart.Millisecond or DatePart.Microsecond)
            return DateParts.TicksOf(part);
        diagnostics.Add(SaqlErrors.UnknownWord, syntax.Place,
            "A window's unit is day, hour, minute, second, millisecond or microsecond." +
            Suggestions.For(word, ["day", "hour", "minute", "second", "millisecond", "microsecond"]));
        return null;
    }

    private long? Length(ExpressionSyntax syntax, long unit)
    {
        double? count = syntax switch
        {
            LiteralSyntax { Value: long whole } => whole,
            LiteralSyntax { Value: double fraction } => fraction,
            _ => null,
        };
        if (count is null)
        {
            diagnostics.Add(SaqlErrors.BadWindow, syntax.Place, "Expected a constant number.");
            return null;
        }

        var ticks = count.Value * unit;
        if (Math.Abs(ticks) < 1e17 && ticks % TimeSpan.TicksPerMillisecond == 0) return (long)ticks;
        diagnostics.Add(SaqlErrors.BadWindow, syntax.Place,
            "A window is measured in whole milliseconds, up to 7 days.");
        return null;
    }
}
