using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Functions with a pattern of .NET: regular expressions (linear time only) and FORMAT.</summary>
internal static class PatternFunctions
{
    /// <summary>The position of the first match, from 1; 0 without one or when the pattern is not valid.</summary>
    public static Value RegexMatch(Frame frame, ReadOnlySpan<Value> values)
    {
        if (frame.Patterns.Find(values[1]) is not { } regex)
        {
            return PatternCache.IsUnsupported(values[1])
                ? frame.Fail(SaqlErrors.BadArgumentValue,
                    $"REGEXMATCH: {Shown.Of(values[1])} looks around or back, which this engine does not.")
                : Value.Of(0L);
        }

        foreach (var match in regex.EnumerateMatches(frame.Arena.Characters(values[0])))
            return Value.Of(match.Index + 1L);
        return Value.Of(0L);
    }

    public static Value RegexReplace(Frame frame, ReadOnlySpan<Value> values)
    {
        if (frame.Patterns.Find(values[1]) is not { } regex)
            return frame.Fail(SaqlErrors.BadArgumentValue, $"REGEXREPLACE: {Shown.Of(values[1])} is no pattern.");
        var text = frame.Arena.Characters(values[0], 0).ToString();
        return frame.Arena.Add(regex.Replace(text, frame.Arena.Characters(values[2], 1).ToString()));
    }

    public static Value Format(Frame frame, ReadOnlySpan<Value> values)
    {
        var format = frame.Arena.Characters(values[1]).ToString();
        try
        {
            string? text = values[0].Kind switch
            {
                ValueKind.BigInt => values[0].Integer.ToString(format, CultureInfo.InvariantCulture),
                ValueKind.Float => values[0].Number.ToString(format, CultureInfo.InvariantCulture),
                _ when Conversion.TryDateTime(values[0], out var time) =>
                    new DateTime(time.Ticks, DateTimeKind.Utc).ToString(format, CultureInfo.InvariantCulture),
                _ => null,
            };
            if (text is not null) return frame.Arena.Add(text);
        }
        catch (FormatException)
        {
            return frame.Fail(SaqlErrors.BadArgumentValue,
                $"FORMAT: '{format}' is no format for {Shown.Of(values[0])}.");
        }

        return frame.Fail(SaqlErrors.ValueMismatch, $"FORMAT takes a number or a time, not {Shown.Of(values[0])}.");
    }
}

/// <summary>Regular expressions by their text: constant patterns are built once.</summary>
internal sealed class PatternCache
{
    /// <summary>Patterns that come from the data could be many; then the cache starts anew.</summary>
    private const int CountMax = 64;

    /// <summary>Linear time, whatever the pattern: a rule must not be able to stall the others.</summary>
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.IgnoreCase |
        RegexOptions.Singleline | RegexOptions.CultureInvariant;

    private readonly List<(byte[] Text, Regex? Regex)> _known = [];

    public Regex? Find(in Value pattern)
    {
        foreach (var (text, regex) in _known)
        {
            if (pattern.Utf8.SequenceEqual(text)) return regex;
        }

        if (_known.Count >= CountMax) _known.Clear();
        var built = TryBuild(System.Text.Encoding.UTF8.GetString(pattern.Utf8));
        _known.Add((pattern.Utf8.ToArray(), built));
        return built;
    }

    /// <summary>A valid pattern that does not run in linear time; one that is not valid is none.</summary>
    public static bool IsUnsupported(in Value pattern)
    {
        try
        {
            _ = new Regex(EcmaPattern.Of(System.Text.Encoding.UTF8.GetString(pattern.Utf8)), Options);
            return false;
        }
        catch (NotSupportedException)
        {
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Null when it is not valid, or looks around or back.</summary>
    public static Regex? TryBuild(string pattern)
    {
        try
        {
            return new Regex(EcmaPattern.Of(pattern), Options);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
