using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>
/// T-SQL patterns: % any characters, _ one, [a-f] one of these, [^a-f] one but these. Works in place, with one point
/// to go back to, so the time is bounded by text times pattern; and by a number of steps.
/// </summary>
internal static class LikePattern
{
    /// <summary>Longest pattern, in characters.</summary>
    public const int LengthMax = 8_000;

    /// <summary>How often a character of the pattern is looked at: some tenths of a second.</summary>
    private const int StepsMax = 100_000_000;

    /// <summary>Null when it took too many steps.</summary>
    public static bool? Matches(ReadOnlySpan<char> text, ReadOnlySpan<char> pattern, char escape = '\0')
    {
        var left = StepsMax;
        return Matches(text, new Parts(pattern, escape), ref left);
    }

    /// <summary>
    /// Where the first place begins that the pattern stands for, -1 when there is none; null when it took too many
    /// steps. Of a pattern that does not begin with % it is the text as a whole.
    /// </summary>
    public static int? Find(ReadOnlySpan<char> text, ReadOnlySpan<char> pattern)
    {
        var left = StepsMax;
        var rest = new Parts(pattern.TrimStart('%'), '\0');
        if (!pattern.StartsWith("%")) return Place(Matches(text, rest, ref left), 0);
        if (rest.Length == 0) return 0;
        var (first, characters) = rest.First();
        if (first == rest.Length)
        {
            // It ends where the text does.
            var start = text.Length - characters;
            return start < 0 ? -1 : Place(Matches(text[start..], rest, ref left), start);
        }

        // What follows has the most room behind the earliest place of what stands before the next %.
        for (var start = 0; start + characters <= text.Length; start++)
        {
            if (Fits(text[start..], rest, first, ref left))
                return Place(Matches(text[(start + characters)..], rest.From(first), ref left), start);
            if (left < 0) return null;
        }

        return -1;
    }

    public static Value TooLong(Frame frame, string operation) => frame.Fail(
        SaqlErrors.BadArgumentValue, $"{operation}: the pattern is over {LengthMax} characters.");

    public static Value TookTooLong(Frame frame, string operation) => frame.Fail(
        SaqlErrors.PatternTimeout, $"{operation} may take {StepsMax} steps.");

    private static int? Place(bool? matches, int start) => matches is { } found ? found ? start : -1 : null;

    private static bool? Matches(ReadOnlySpan<char> text, Parts pattern, ref int left)
    {
        int at = 0, p = 0, retryPattern = -1, retryText = 0;
        while (at < text.Length || p < pattern.Length)
        {
            if (p < pattern.Length)
            {
                if (pattern.IsAny(p))
                {
                    retryPattern = ++p;
                    retryText = at;
                    continue;
                }

                var size = pattern.SizeAt(p);
                left -= size;
                if (at < text.Length && pattern.Fits(text[at], p, size))
                {
                    p += size;
                    at++;
                    continue;
                }
            }

            if (left < 0) return null;
            if (retryPattern < 0 || retryText >= text.Length) return false;
            p = retryPattern;
            at = ++retryText;
        }

        return true;
    }

    /// <summary>Whether the text begins with what the pattern has up to an end, where no % stands before.</summary>
    private static bool Fits(ReadOnlySpan<char> text, Parts pattern, int end, ref int left)
    {
        for (int p = 0, at = 0; p < end; at++)
        {
            var size = pattern.SizeAt(p);
            left -= size;
            if (!pattern.Fits(text[at], p, size)) return false;
            p += size;
        }

        return true;
    }

    /// <summary>A pattern as parts: % or what stands for one character.</summary>
    private readonly ref struct Parts(ReadOnlySpan<char> pattern, char escape)
    {
        private readonly ReadOnlySpan<char> _pattern = pattern;

        /// <summary>Behind it no [ begins a set.</summary>
        private readonly int _lastClose = pattern.LastIndexOf(']');

        public int Length => _pattern.Length;

        public Parts From(int start) => new(_pattern[start..], escape);

        public bool IsAny(int p) => _pattern[p] == '%';

        /// <summary>How much of the pattern the part at a place takes.</summary>
        public int SizeAt(int p)
        {
            if (escape != '\0' && _pattern[p] == escape && p + 1 < _pattern.Length) return 2;
            if (_pattern[p] != '[' || p > _lastClose) return 1;
            var close = _pattern[(p + 1)..].IndexOf(']');
            return close <= 0 ? 1 : close + 2;
        }

        public bool Fits(char character, int p, int size) => size switch
        {
            1 => _pattern[p] == '_' || _pattern[p] == character,
            2 => _pattern[p + 1] == character,
            _ => FitsSet(character, _pattern.Slice(p + 1, size - 2)),
        };

        /// <summary>Where the first % stands, or the end, and how many characters there are before it.</summary>
        public (int End, int Characters) First()
        {
            var (p, characters) = (0, 0);
            for (; p < Length && !IsAny(p); characters++) p += SizeAt(p);
            return (p, characters);
        }

        private static bool FitsSet(char character, ReadOnlySpan<char> set)
        {
            var negated = set[0] == '^' && set.Length > 1;
            return InSet(character, negated ? set[1..] : set) != negated;
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
}
