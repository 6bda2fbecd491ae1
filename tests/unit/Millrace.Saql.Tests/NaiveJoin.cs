namespace Millrace.Saql.Tests;

/// <summary>A row of a join within seconds.</summary>
/// <param name="By">The event that makes it; null when only time does.</param>
internal sealed record NaiveMatch(long At, NaiveEvent? By, NaiveEvent Left, NaiveEvent? Right);

/// <summary>What joins mean, by looking at all pairs of events.</summary>
internal static class NaiveJoin
{
    private const long Second = TimeSpan.TicksPerSecond;

    /// <summary>The rows in the order in which they come; what only time makes comes behind the events of its instant.
    /// </summary>
    /// <param name="last">
    /// Of an outer join the greatest number of boundaries between a left event and a right one; else null.
    /// </param>
    /// <param name="isLeft">Which events are of the left side; all by default, as of the right one.</param>
    public static List<NaiveMatch> Of(
        List<(long At, NaiveEvent Event)> rows, long? last,
        Func<(long At, NaiveEvent Event), (long At, NaiveEvent Event), bool> fits,
        Func<NaiveEvent, bool>? isLeft = null, Func<NaiveEvent, bool>? isRight = null)
    {
        var found = new List<NaiveMatch>();
        for (var i = 0; i < rows.Count; i++)
        {
            var (now, e) = rows[i];
            if (isLeft is null || isLeft(e))
            {
                if (last is { } high && !rows.Any(other => Fits(rows[i], other)))
                {
                    // In whole seconds; what is left of the last one counts.
                    var expiry = (((now / Second) + high + 1) * Second) - 1;
                    found.Add(new NaiveMatch(Math.Max(now, expiry), expiry < now ? e : null, e, null));
                }

                found.AddRange(rows.Take(i).Where(other => Fits(rows[i], other))
                    .Select(right => new NaiveMatch(now, e, e, right.Event)));
            }

            found.AddRange(rows.Take(i + 1).Where(other => Fits(other, rows[i]))
                .Select(left => new NaiveMatch(now, e, left.Event, e)));
        }

        return [.. found.OrderBy(match => match.At).ThenBy(match => match.By is null)];

        bool Fits((long At, NaiveEvent Event) left, (long At, NaiveEvent Event) right) =>
            (isLeft is null || isLeft(left.Event)) && (isRight is null || isRight(right.Event)) && fits(left, right);
    }
}
