using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Functions with a pattern: regular expressions and FORMAT.</summary>
internal static class PatternFunctions
{
    /// <summary>The position of the first match, from 1; 0 without one or when the pattern is not valid.</summary>
    public static Value RegexMatch(Frame frame, ReadOnlySpan<Value> values)
    {
        if (frame.Patterns.Find(values[1]) is not { } regex) return Value.Of(0L);
        try
        {
            foreach (var match in regex.EnumerateMatches(frame.Arena.Characters(values[0])))
                return Value.Of(match.Index + 1L);
            return Value.Of(0L);
        }
        catch (RegexMatchTimeoutException)
        {
            return TookTooLong(frame, values[1], regex);
        }
    }

    public static Value RegexReplace(Frame frame, ReadOnlySpan<Value> values)
    {
        if (frame.Patterns.Find(values[1]) is not { } regex)
            return frame.Fail(SaqlErrors.BadArgumentValue, $"REGEXREPLACE: {Shown.Of(values[1])} is no pattern.");
        var text = frame.Arena.Characters(values[0], 0).ToString();
        try
        {
            return frame.Arena.Add(regex.Replace(text, frame.Arena.Characters(values[2], 1).ToString()));
        }
        catch (RegexMatchTimeoutException)
        {
            return TookTooLong(frame, values[1], regex);
        }
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

    private static Value TookTooLong(Frame frame, in Value pattern, Regex regex) => frame.Fail(
        SaqlErrors.PatternTimeout, $"{Shown.Of(pattern)} may take {regex.MatchTimeout.TotalMilliseconds} ms.");
}

/// <summary>Regular expressions by their text: constant patterns are built once.</summary>
/// <param name="timeMax">What one that cannot run in linear time may take for a row.</param>
internal sealed class PatternCache(TimeSpan timeMax)
{
    /// <summary>Patterns that come from the data could be many; then the cache starts anew.</summary>
    private const int CountMax = 64;

    private const RegexOptions Options =
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant;

    private readonly List<(byte[] Text, Regex? Regex)> _known = [];

    public Regex? Find(in Value pattern)
    {
        foreach (var (text, regex) in _known)
        {
            if (pattern.Utf8.SequenceEqual(text)) return regex;
        }

        if (_known.Count >= CountMax) _known.Clear();
        var built = Build(System.Text.Encoding.UTF8.GetString(pattern.Utf8), timeMax);
        _known.Add((pattern.Utf8.ToArray(), built));
        return built;
    }

    public static bool IsValid(string pattern) => Build(pattern, Regex.InfiniteMatchTimeout) is not null;

    /// <summary>
    /// Null when it is not valid. In linear time where the pattern allows it: a rule must not be able to stall the
    /// others. One that looks around or back goes back and forth, for a limited time.
    /// </summary>
    private static Regex? Build(string pattern, TimeSpan timeMax)
    {
        var text = EcmaPattern.Of(pattern);
        try
        {
            return new Regex(text, Options | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException)
        {
            return new Regex(text, Options, timeMax);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
