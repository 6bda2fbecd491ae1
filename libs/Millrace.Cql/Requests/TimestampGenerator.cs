namespace Millrace.Cql.Requests;

/// <summary>
/// Microseconds since 1970 that only rise, so that of two writes of one session to one cell the later wins, even within
/// one microsecond and when the clock is set back.
/// </summary>
internal sealed class TimestampGenerator(TimeProvider time)
{
    private long _last;

    public long Next()
    {
        var now = (time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last) return next;
        }
    }
}
