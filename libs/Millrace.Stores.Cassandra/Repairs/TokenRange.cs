using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Stores.Cassandra.Repairs;

/// <summary>
/// Part of the ring of tokens, its first and last included, both counted from the lowest token: so they compare as
/// unsigned numbers.
/// </summary>
internal readonly partial record struct TokenRange(ulong First, ulong Last)
{
    public static readonly TokenRange Ring = new(0, ulong.MaxValue);

    /// <summary>
    /// What Cassandra writes as <c>(after,to]</c>; two ranges for one that goes over the end, none for another text.
    /// </summary>
    public static IEnumerable<TokenRange> Parse(string text)
    {
        var match = Pattern().Match(text);
        if (!TryRead(match.Groups[1], out var after) || !TryRead(match.Groups[2], out var last)) yield break;
        if (after == last) yield return Ring;
        else if (after < last) yield return new TokenRange(after + 1, last);
        else
        {
            if (after < ulong.MaxValue) yield return new TokenRange(after + 1, ulong.MaxValue);
            yield return new TokenRange(0, last);
        }
    }

    /// <summary>What is left of this one.</summary>
    public IEnumerable<TokenRange> Without(TokenRange other)
    {
        if (other.Last < First || other.First > Last)
        {
            yield return this;
            yield break;
        }

        if (other.First > First) yield return this with { Last = other.First - 1 };
        if (other.Last < Last) yield return this with { First = other.Last + 1 };
    }

    private static bool TryRead(Group group, out ulong position)
    {
        var isToken = long.TryParse(
            group.ValueSpan, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var token);
        position = unchecked((ulong)token - (ulong)long.MinValue);
        return isToken;
    }

    [GeneratedRegex(@"^\((-?\d+),\s*(-?\d+)\]$")]
    private static partial Regex Pattern();
}
