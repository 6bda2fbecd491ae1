namespace Millrace.Simulator.Fleet;

/// <summary>Counts durations in buckets that grow by a hundredth, from 1 us to about an hour.</summary>
internal sealed class LatencyHistogram
{
    private const double Growth = 1.01;
    private const int Buckets = 2_250;
    private static readonly double LogGrowth = Math.Log(Growth);

    private readonly long[] _counts = new long[Buckets];
    private long _maxTicks;

    public void Add(TimeSpan duration)
    {
        var micros = Math.Max(duration.TotalMicroseconds, 1);
        Interlocked.Increment(ref _counts[Math.Min((int)(Math.Log(micros) / LogGrowth), Buckets - 1)]);
        for (var max = Interlocked.Read(ref _maxTicks); duration.Ticks > max;)
        {
            var seen = Interlocked.CompareExchange(ref _maxTicks, duration.Ticks, max);
            if (seen == max) break;
            max = seen;
        }
    }

    public double MaxMs => TimeSpan.FromTicks(Interlocked.Read(ref _maxTicks)).TotalMilliseconds;

    /// <summary>The duration, within a hundredth, that this share of all did not pass; 0 when there is none.</summary>
    public double PercentileMs(double share)
    {
        var total = _counts.Sum();
        var rank = (long)Math.Ceiling(total * share);
        for (var (i, seen) = (0, 0L); i < Buckets && total > 0; i++)
        {
            seen += _counts[i];
            if (seen >= rank) return Math.Min(Math.Pow(Growth, i + 1) / 1_000, MaxMs);
        }

        return 0;
    }
}
