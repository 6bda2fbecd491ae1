namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Time to live as Cassandra has it: whole seconds from the write on.</summary>
internal static class Expiry
{
    /// <summary>Cassandra's own limit, 20 years.</summary>
    public const int SecondsMax = 20 * 365 * 86_400;

    /// <summary>
    /// Of a row that is kept for so long from its enqueued time; 0 keeps it for good. False when its time has passed.
    /// </summary>
    public static bool TryTtl(long enqueuedAtMs, long nowMs, TimeSpan retention, out int seconds)
    {
        seconds = 0;
        if (retention == TimeSpan.Zero) return true;
        var leftMs = enqueuedAtMs + retention.TotalMilliseconds - nowMs;
        seconds = (int)Math.Clamp(Math.Ceiling(leftMs / 1_000), 0, SecondsMax);
        return seconds > 0;
    }
}
