namespace Millrace.Saql.Functions;

/// <summary>
/// How much a regular expression leaves open. One that runs in linear time looks at all that is open at once, at every
/// character: with many counted repetitions within each other, or deep ones, a single step takes seconds, and nothing
/// ends it.
/// </summary>
/// <param name="Depth">How deep repetitions stand within each other: 2 for (a+b)*.</param>
/// <param name="Choices">
/// How often it goes on in several ways: alternatives and repetitions, counted ones as often as they count, and as
/// often as what they stand in. (a|b{1,3}){2} has 2 * (1 + 3) + 2.
/// </param>
internal readonly record struct PatternSize(int Depth, long Choices)
{
    private const int DepthMax = 2;
    private const int ChoicesMax = 24;

    /// <summary>No pattern needs more to be too large.</summary>
    private const long CountMax = 1_000_000;

    /// <summary>A step is short.</summary>
    public bool IsSmall => Depth <= DepthMax && Choices <= ChoicesMax;

    public static PatternSize Of(ReadOnlySpan<char> pattern)
    {
        var around = new Stack<PatternSize>();
        var (all, last) = (default(PatternSize), default(PatternSize));
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '(':
                    around.Push(all);
                    (all, last) = (default, default);
                    // What follows says of which kind the group is.
                    if (Next(pattern, i) == '?') i++;
                    break;
                case ')':
                    last = all;
                    if (around.TryPop(out var outer)) all = outer.With(last);
                    break;
                case '|':
                    all = all with { Choices = all.Choices + 1 };
                    break;
                case '*' or '+' or '?':
                    (all, last) = Repeated(all, last, 1);
                    // Another one behind it says that it is lazy.
                    if (Next(pattern, i) == '?') i++;
                    break;
                case '{':
                    (all, last) = Repeated(all, last, Count(pattern[(i + 1)..]));
                    break;
                case '[':
                    i = EndOfClass(pattern, i);
                    last = default;
                    break;
                case '\\':
                    i++;
                    last = default;
                    break;
                default:
                    last = default;
                    break;
            }
        }

        return all;
    }

    private static (PatternSize All, PatternSize Last) Repeated(PatternSize all, PatternSize last, long count)
    {
        var more = (last.Choices * Math.Max(0, count - 1)) + count;
        last = new PatternSize(last.Depth + 1, Math.Min(CountMax, last.Choices + more));
        return (new PatternSize(Math.Max(all.Depth, last.Depth), Math.Min(CountMax, all.Choices + more)), last);
    }

    private PatternSize With(PatternSize part) =>
        new(Math.Max(Depth, part.Depth), Math.Min(CountMax, Choices + part.Choices));

    /// <summary>The most of a count behind its brace, as of 3} and 1,3}; of 3,} it is 3.</summary>
    private static long Count(ReadOnlySpan<char> text)
    {
        var (count, number) = (1L, 0L);
        foreach (var character in text)
        {
            if (char.IsAsciiDigit(character)) count = number = Math.Min(CountMax, (number * 10) + (character - '0'));
            else if (character == ',') number = 0;
            else break;
        }

        return count;
    }

    private static char Next(ReadOnlySpan<char> pattern, int at) => at + 1 < pattern.Length ? pattern[at + 1] : '\0';

    private static int EndOfClass(ReadOnlySpan<char> pattern, int start)
    {
        var at = start + 1;
        while (at < pattern.Length && pattern[at] != ']') at += pattern[at] == '\\' ? 2 : 1;
        return at;
    }
}
