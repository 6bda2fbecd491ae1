namespace Millrace.Stores.Cassandra.Connection;

/// <summary>Times as the tables have them: microseconds since 1970, of which a day has room for all that happens.</summary>
internal static class Times
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    public static long Microseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TicksPerMicrosecond;

    public static long Microseconds(TimeSpan time) => time.Ticks / TicksPerMicrosecond;
}
