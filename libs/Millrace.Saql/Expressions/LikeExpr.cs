using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

internal sealed class LikeExpr(Expr value, Expr pattern, Expr? escape) : Condition
{
    public override IReadOnlyList<Expr> Parts => escape is null ? [value, pattern] : [value, pattern, escape];

    public override Truth Test(Frame frame)
    {
        var tested = value.Evaluate(frame);
        var wanted = pattern.Evaluate(frame);
        var escaping = escape is null ? Value.Null : escape.Evaluate(frame);
        if (tested.IsNull || wanted.IsNull) return Truth.Unknown;
        if (!Conversion.TryText(tested, frame.Arena, out var text) || wanted.Kind != ValueKind.Text)
        {
            frame.Fail(SaqlErrors.ValueMismatch, $"LIKE needs a text pattern, not {Shown.Of(wanted)}.");
            return Truth.Unknown;
        }

        var escapeCharacter = '\0';
        if (!escaping.IsNull && escaping.Length > 0 && !TryEscape(escaping, out escapeCharacter))
        {
            frame.Fail(SaqlErrors.BadArgumentValue, $"ESCAPE is one character, not {Shown.Of(escaping)}.");
            return Truth.Unknown;
        }

        var characters = frame.Arena.Characters(text, 0);
        return LikePattern.Matches(characters, frame.Arena.Characters(wanted, 1), escapeCharacter)
            ? Truth.True
            : Truth.False;
    }

    private static bool TryEscape(in Value escape, out char character)
    {
        Span<char> written = stackalloc char[1];
        character = '\0';
        if (escape.Kind != ValueKind.Text || !Encoding.UTF8.TryGetChars(escape.Utf8, written, out _)) return false;
        character = written[0];
        return true;
    }
}

/// <summary>
/// T-SQL patterns: % any characters, _ one, [a-f] one of these, [^a-f] one but these. Works in place, with one point
/// to go back to, so the time is bounded by text times pattern.
/// </summary>
internal static class LikePattern
{
    public static bool Matches(ReadOnlySpan<char> text, ReadOnlySpan<char> pattern, char escape = '\0')
    {
        int at = 0, p = 0, retryPattern = -1, retryText = 0;
        while (at < text.Length || p < pattern.Length)
        {
            if (p < pattern.Length)
            {
                if (pattern[p] == '%')
                {
                    retryPattern = ++p;
                    retryText = at;
                    continue;
                }

                var size = at < text.Length ? MatchOne(text[at], pattern[p..], escape) : 0;
                if (size > 0)
                {
                    p += size;
                    at++;
                    continue;
                }
            }

            if (retryPattern < 0 || retryText >= text.Length) return false;
            p = retryPattern;
            at = ++retryText;
        }

        return true;
    }

    /// <summary>How much of the pattern stands for this one character; 0 when it does not fit.</summary>
    private static int MatchOne(char character, ReadOnlySpan<char> pattern, char escape)
    {
        if (escape != '\0' && pattern[0] == escape && pattern.Length > 1) return pattern[1] == character ? 2 : 0;
        if (pattern[0] == '_') return 1;
        if (pattern[0] != '[') return pattern[0] == character ? 1 : 0;
        var close = pattern[1..].IndexOf(']');
        if (close <= 0) return pattern[0] == character ? 1 : 0;
        var set = pattern[1..(close + 1)];
        var negated = set[0] == '^' && set.Length > 1;
        if (negated) set = set[1..];
        return InSet(character, set) != negated ? close + 2 : 0;
    }

    private static bool InSet(char character, ReadOnlySpan<char> set)
    {
        for (var i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (character >= set[i] && character <= set[i + 2]) return true;
                i += 2;
            }
            else if (set[i] == character) return true;
        }

        return false;
    }
}
