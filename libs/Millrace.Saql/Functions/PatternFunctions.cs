using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Functions with a pattern: regular expressions and FORMAT.</summary>
internal static class PatternFunctions
{
    /// <summary>The most characters that one match may become, as far as that can be told before.</summary>
    private const int SubstituteMax = 16 * Frame.MadeBytesMax;

    /// <summary>The most digits of a standard format's precision: it is the length of what is made.</summary>
    private const int PrecisionDigitsMax = 3;

    /// <summary>The position of the first match, from 1; 0 without one or when the pattern is not valid.</summary>
    public static Value RegexMatch(Frame frame, ReadOnlySpan<Value> values)
    {
        if (values[1].Length > PatternCache.LengthMax) return TooLong(frame, "REGEXMATCH");
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
        if (values[1].Length > PatternCache.LengthMax) return TooLong(frame, "REGEXREPLACE");
        if (frame.Patterns.Find(values[1]) is not { } regex)
            return frame.Fail(SaqlErrors.BadArgumentValue, $"REGEXREPLACE: {Shown.Of(values[1])} is no pattern.");
        var text = frame.Arena.Characters(values[0], 0).ToString();
        try
        {
            return Replaced(frame, regex, text, frame.Arena.Characters(values[2], 1).ToString());
        }
        catch (RegexMatchTimeoutException)
        {
            return TookTooLong(frame, values[1], regex);
        }
    }

    /// <summary>What a match becomes may be the text as a whole, so that the length is looked at on the way.</summary>
    private static Value Replaced(Frame frame, Regex regex, string text, string substitute)
    {
        const string Function = "REGEXREPLACE";
        var left = Frame.MadeBytesMax - text.Length;
        if (substitute.Length + (substitute.AsSpan().Count('$') * (long)text.Length) > SubstituteMax)
            return frame.TooLong(Function);
        var replaced = regex.Replace(text, match =>
        {
            if (left < 0) return "";
            var part = match.Result(substitute);
            left -= part.Length - match.Length;
            return left < 0 ? "" : part;
        });
        return left < 0 ? frame.TooLong(Function) : frame.Made(Function, replaced);
    }

    public static Value Format(Frame frame, ReadOnlySpan<Value> values)
    {
        var format = frame.Arena.Characters(values[1]).ToString();
        if (HasLongPrecision(format) && values[0].Kind.IsNumber())
        {
            return frame.Fail(SaqlErrors.BadArgumentValue,
                $"FORMAT: the precision of '{format}' has more than {PrecisionDigitsMax} digits.");
        }

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
            if (text is not null) return frame.Made("FORMAT", text);
        }
        catch (FormatException)
        {
            return frame.Fail(SaqlErrors.BadArgumentValue,
                $"FORMAT: '{format}' is no format for {Shown.Of(values[0])}.");
        }

        return frame.Fail(SaqlErrors.ValueMismatch, $"FORMAT takes a number or a time, not {Shown.Of(values[0])}.");
    }

    private static bool HasLongPrecision(ReadOnlySpan<char> format) => format.Length > 1 + PrecisionDigitsMax
        && char.IsAsciiLetter(format[0]) && !format[1..].ContainsAnyExceptInRange('0', '9');

    private static Value TooLong(Frame frame, string function) => frame.Fail(
        SaqlErrors.BadArgumentValue, $"{function}: the pattern is over {PatternCache.LengthMax} bytes.");

    private static Value TookTooLong(Frame frame, in Value pattern, Regex regex) => frame.Fail(
        SaqlErrors.PatternTimeout, $"{Shown.Of(pattern)} may take {regex.MatchTimeout.TotalMilliseconds} ms.");
}

/// <summary>Regular expressions by their text: constant patterns are built once.</summary>
/// <param name="timeMax">
/// What one that cannot run in linear time may take for a row. Others end by themselves, but on a long text some only
/// after long: they may take <see cref="LinearTimes"/> as much.
/// </param>
internal sealed class PatternCache(TimeSpan timeMax)
{
    /// <summary>Longest pattern, in bytes.</summary>
    public const int LengthMax = 8_000;

    private const int LinearTimes = 20;


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

    public static bool IsValid(string pattern) => Build(pattern, TimeSpan.FromSeconds(1)) is not null;

    /// <summary>
    /// Null when it is not valid. In linear time where the pattern allows it: a rule must not be able to stall the
    /// others. One that looks around or back goes back and forth, for a limited time; so does one that leaves much
    /// open: its single steps would be long, and time is looked at between them.
    /// </summary>
    private static Regex? Build(string pattern, TimeSpan timeMax)
    {
        var text = EcmaPattern.Of(pattern);
        try
        {
            return PatternSize.Of(text).IsSmall
                ? new Regex(text, Options | RegexOptions.NonBacktracking, timeMax * LinearTimes)
                : new Regex(text, Options, timeMax);
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
