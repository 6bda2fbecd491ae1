namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Time to live as Cassandra has it: whole seconds from the write on.</summary>
internal static class Expiry
{
    /// <summary>Cassandra's own limit, 20 years.</summary>
    public const int SecondsMax = 20 * 365 * 86_400;

    /// <summary>
    /// 2038-01-19, in seconds since 1970: before Cassandra 5, and while that keeps compatible with earlier ones,
    /// nothing can expire later.
    /// </summary>
    public const long EndBeforeVersion5 = int.MaxValue - 1;

    // The nodes' clocks may be ahead.
    private const int ClockMargin = 3_600;

    /// <summary>
    /// Of a row that is kept for so long from its enqueued time; 0 keeps it for good. False when its time has passed.
    /// </summary>
    /// <param name="end">When the latest row may expire, in seconds since 1970.</param>
    public static bool TryTtl(long enqueuedAtMs, long nowMs, TimeSpan retention, long end, out int seconds)
    {
        seconds = 0;
        if (retention == TimeSpan.Zero) return true;
        var leftMs = enqueuedAtMs + retention.TotalMilliseconds - nowMs;
        seconds = (int)Math.Clamp(Math.Ceiling(leftMs / 1_000), 0, Most(nowMs, end));
        return seconds > 0;
    }

    /// <summary>The most that the nodes take now. Behind the end they take nothing, and say so.</summary>
    public static int Most(long nowMs, long end)
    {
        var left = end - (nowMs / 1_000) - ClockMargin;
        return left > 0 ? (int)Math.Min(left, SecondsMax) : SecondsMax;
    }
}
