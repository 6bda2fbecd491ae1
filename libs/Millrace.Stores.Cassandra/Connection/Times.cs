namespace Millrace.Stores.Cassandra.Connection;

/// <summary>Times as the keys of tables have them: microseconds since 1970.</summary>
internal static class Times
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    public static long Microseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TicksPerMicrosecond;

    public static long Microseconds(TimeSpan time) => time.Ticks / TicksPerMicrosecond;
}
