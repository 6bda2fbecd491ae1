namespace Millrace.Gateway.Limits;

/// <summary>
/// A token bucket without a timer: it keeps the moment at which it will be full again, and tokens are counted when they
/// are asked for. More may be taken than there are; then it is the longer until there are some again. Times are
/// nanoseconds of any clock that does not go back. For one thread at a time.
/// </summary>
/// <param name="perSecond">0: no limit.</param>
/// <param name="burst">As long as this gathers tokens; what comes after is not gathered.</param>
internal struct TokenBucket(double perSecond, TimeSpan burst)
{
    private const double Second = 1e9;

    private readonly long _burstNs = burst.Ticks * TimeSpan.NanosecondsPerTick;
    private long _fullAtNs;

    /// <summary>The same at another rate: full at the same moment.</summary>
    public readonly TokenBucket At(double rate) =>
        new(rate, TimeSpan.FromTicks(_burstNs / TimeSpan.NanosecondsPerTick)) { _fullAtNs = _fullAtNs };

    /// <summary>Tokens that are there; none when less than one is.</summary>
    public readonly long Available(long nowNs)
    {
        if (perSecond == 0) return long.MaxValue;
        var room = _burstNs - Math.Max(0, _fullAtNs - nowNs);
        return room <= 0 ? 0 : (long)(room * perSecond / Second);
    }

    public readonly bool IsFull(long nowNs) => _fullAtNs <= nowNs;

    /// <summary>How long it takes until there is a token; 0 when there is one.</summary>
    public readonly TimeSpan Wait(long nowNs)
    {
        if (perSecond == 0) return TimeSpan.Zero;
        var waitNs = _fullAtNs + Cost(1) - _burstNs - nowNs;
        const long tick = TimeSpan.NanosecondsPerTick;
        return waitNs <= 0 ? TimeSpan.Zero : TimeSpan.FromTicks((waitNs + tick - 1) / tick);
    }

    public void Take(long count, long nowNs)
    {
        if (perSecond > 0) _fullAtNs = Math.Max(_fullAtNs, nowNs) + Cost(count);
    }

    private readonly long Cost(long count) => (long)Math.Ceiling(count * Second / perSecond);
}
