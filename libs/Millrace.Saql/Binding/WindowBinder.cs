using Millrace.Saql.Functions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>The window of a GROUP BY: constants to bounds.</summary>
internal sealed class WindowBinder(Diagnostics diagnostics)
{
    /// <summary>The most parts of a hopping window: a day each second is less.</summary>
    private const int PanesMax = 100_000;

    private static readonly long SizeMax = TimeSpan.FromDays(7).Ticks;

    public static IReadOnlyList<string> Names { get; } =
    [
        "TumblingWindow", "Tumbling", "HoppingWindow", "Hopping", "SlidingWindow", "Sliding", "SessionWindow",
        "Session", "Windows",
    ];

    public static bool IsWindow(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    public static bool IsWindow(ExpressionSyntax syntax) => syntax switch
    {
        CallSyntax call => IsWindow(call.Name),
        OverSyntax over => IsWindow(over.Call.Name),
        _ => false,
    };

    public static bool IsTimestamp(ExpressionSyntax syntax) =>
        syntax is CallSyntax call && call.Is("System.Timestamp");

    /// <summary>The windows of a GROUP BY item; none (and told) when it is not valid.</summary>
    public IReadOnlyList<WindowDefinition> Bind(ExpressionSyntax item)
    {
        if (item is CallSyntax call && call.Is("Windows")) return BindSeveral(call);
        return BindOne(item, null) is { } one ? [one] : [];
    }

    /// <summary>A unit and a number, in ticks: 1 microsecond to 7 days.</summary>
    public long? Stretch(CallSyntax owner, IReadOnlyList<ExpressionSyntax> arguments)
    {
        if (arguments.Count != 2)
        {
            diagnostics.Add(SaqlErrors.BadWindow, owner.Place, $"Expected {owner.Name}(unit, number).");
            return null;
        }

        if (Unit(arguments[0]) is not { } unit || Length(arguments[1], unit) is not { } length) return null;
        return IsWithin(owner, length, "length") ? length : null;
    }

    private List<WindowDefinition> BindSeveral(CallSyntax call)
    {
        var found = new List<WindowDefinition>();
        var isNamed = call.Arguments.Any(argument => argument is CallSyntax one && one.Is("Window"));
        if (call.Arguments.Count == 0)
            diagnostics.Add(SaqlErrors.BadWindow, call.Place, "Windows() needs at least one window.");
        foreach (var argument in call.Arguments)
        {
            var (definition, id) = (argument, (string?)null);
            if (isNamed)
            {
                if (argument is not CallSyntax { Arguments: [LiteralSyntax { Value: string name }, var named] } one
                    || !one.Is("Window"))
                {
                    diagnostics.Add(SaqlErrors.BadWindow, argument.Place,
                        "Expected Window('id', definition): either all windows have an id, or none.");
                    continue;
                }

                (definition, id) = (named, name);
                if (found.Any(other => name.Equals(other.Spec.Id, StringComparison.OrdinalIgnoreCase)))
                    diagnostics.Add(SaqlErrors.DuplicateName, argument.Place, $"There is a window '{name}' before.");
            }

            if (BindOne(definition, id) is { } bound) found.Add(bound);
        }

        return found;
    }

    private WindowDefinition? BindOne(ExpressionSyntax item, string? id)
    {
        var call = (item as OverSyntax)?.Call ?? item as CallSyntax;
        if (call is null || call.Is("Windows") || !(IsWindow(call.Name) || IsTimestamp(call)))
        {
            diagnostics.Add(SaqlErrors.BadWindow, item.Place,
                "Expected TumblingWindow, HoppingWindow, SlidingWindow, SessionWindow or System.Timestamp().");
            return null;
        }

        var kind = char.ToUpperInvariant(call.Name[1]) == 'E' ? WindowKind.Session
            : char.ToUpperInvariant(call.Name[1]) == 'L' ? WindowKind.Sliding : WindowKind.Regular;
        if (item is OverSyntax over && (kind != WindowKind.Session || over.Limit is not null || over.When is not null))
            diagnostics.Add(SaqlErrors.BadWindow, item.Place, "Only SessionWindow takes OVER (PARTITION BY ...).");
        var spec = IsTimestamp(call) ? new WindowSpec(null, 0, 0, 0) : kind switch
        {
            WindowKind.Session => BindSession(call),
            WindowKind.Sliding => BindSliding(call),
            _ => BindRegular(call),
        };
        return spec is { } valid
            ? new WindowDefinition(valid with { Id = id, Kind = kind }, (item as OverSyntax)?.PartitionBy ?? [])
            : null;
    }

    private WindowSpec? BindRegular(CallSyntax call)
    {
        var isHopping = call.Name.StartsWith("Hop", StringComparison.OrdinalIgnoreCase);
        return call.Arguments.Count > 0 && IsPart(call.Arguments[0], "Duration")
            ? BindParts(call, isHopping)
            : BindNumbers(call, isHopping);
    }

    /// <summary>SlidingWindow(unit, size), SlidingWindow(Duration(unit, size)).</summary>
    private WindowSpec? BindSliding(CallSyntax call)
    {
        if (call.Arguments is [CallSyntax part] && part.Is("Duration")) call = part;
        if (call.Arguments.Count == 2) return Stretch(call, call.Arguments) is { } size
            ? new WindowSpec(null, size, size, 0) : null;
        diagnostics.Add(SaqlErrors.BadWindow, call.Place,
            "Expected SlidingWindow(unit, size) or SlidingWindow(Duration(unit, size)).");
        return null;
    }

    /// <summary>SessionWindow(unit, timeout, longest), SessionWindow(Timeout(unit, n), MaxDuration(unit, n)).</summary>
    private WindowSpec? BindSession(CallSyntax call)
    {
        long? timeout, longest;
        if (call.Arguments is [CallSyntax first, CallSyntax second] && first.Is("Timeout") && second.Is("MaxDuration"))
        {
            timeout = Stretch(first, first.Arguments);
            longest = Stretch(second, second.Arguments);
        }
        else if (call.Arguments.Count == 3)
        {
            timeout = Stretch(call, [call.Arguments[0], call.Arguments[1]]);
            longest = Stretch(call, [call.Arguments[0], call.Arguments[2]]);
        }
        else
        {
            diagnostics.Add(SaqlErrors.BadWindow, call.Place, "Expected SessionWindow(unit, timeout, longest) " +
                "or SessionWindow(Timeout(unit, n), MaxDuration(unit, n)).");
            return null;
        }

        return timeout is null || longest is null ? null : new WindowSpec(null, timeout.Value, longest.Value, 0);
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
        if (!IsWithin(call, size.Value, "size") || !IsWithin(call, hop.Value, "hop")) return null;
        var spec = new WindowSpec(null, size.Value, hop.Value, offset.Value);
        if (spec.Panes <= PanesMax) return spec;
        diagnostics.Add(SaqlErrors.BadWindow, call.Place,
            $"A window has at most {PanesMax} parts that it hops by; this size and hop give {spec.Panes}.");
        return null;
    }

    private bool IsWithin(CallSyntax call, long length, string what)
    {
        if (length >= TimeSpan.TicksPerMicrosecond && length <= SizeMax) return true;
        diagnostics.Add(SaqlErrors.BadWindow, call.Place,
            $"The {what} of a window lies between 1 microsecond and 7 days; found {TimeSpan.FromTicks(length):c}.");
        return false;
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
        // The reference's own examples say hours.
        if ((DateParts.TryParse(word, out var part) || DateParts.TryParsePlural(word, out part)) && part is
            DatePart.Week or DatePart.Day or DatePart.Hour or DatePart.Minute or DatePart.Second or DatePart.Millisecond
            or DatePart.Microsecond)
            return DateParts.TicksOf(part);
        diagnostics.Add(SaqlErrors.UnknownWord, syntax.Place,
            "A window's unit is week, day, hour, minute, second, millisecond or microsecond." +
            Suggestions.For(word, ["week", "day", "hour", "minute", "second", "millisecond", "microsecond"]));
        return null;
    }

    private long? Length(ExpressionSyntax syntax, long unit)
    {
        if (ConstantSyntax.Number(syntax) is not { } count)
        {
            diagnostics.Add(SaqlErrors.BadWindow, syntax.Place, "Expected a constant number.");
            return null;
        }

        var ticks = count * unit;
        if (Math.Abs(ticks) < 1e17 && ticks % TimeSpan.TicksPerMicrosecond == 0) return (long)ticks;
        diagnostics.Add(SaqlErrors.BadWindow, syntax.Place,
            "A window is measured in whole microseconds, up to 7 days.");
        return null;
    }
}

/// <param name="SessionKeys">What PARTITION BY of a session names.</param>
internal sealed record WindowDefinition(WindowSpec Spec, IReadOnlyList<ExpressionSyntax> SessionKeys);
