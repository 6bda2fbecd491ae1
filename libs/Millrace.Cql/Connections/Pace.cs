using System.Diagnostics;

namespace Millrace.Cql.Connections;

/// <summary>
/// Whether those whose answers came go on where they were read: as long as that takes them little on the average. Else
/// they go on in the thread pool, side by side: for a second at first, and for twice as long each time again.
/// </summary>
internal sealed class Pace
{
    // Handing one over to the pool costs some microseconds.
    private static readonly double AverageMax = Ticks(TimeSpan.FromMicroseconds(20));

    // A thread that loses its processor for a while says nothing of what goes on in it.
    private static readonly double OneMax = Ticks(TimeSpan.FromMicroseconds(200));

    private static readonly long PauseMin = (long)Ticks(TimeSpan.FromSeconds(1));
    private static readonly long PauseMax = (long)Ticks(TimeSpan.FromMinutes(1));

    private const int Averaged = 512;

    private double _average;
    private long _pausedUntil;
    private long _pause = PauseMin;

    /// <summary>Whether the next go on where they were read.</summary>
    public bool IsQuick => Volatile.Read(ref _pausedUntil) <= Stopwatch.GetTimestamp();

    /// <summary>One has gone on since then, until now, which this gives.</summary>
    public long Add(long begun)
    {
        var now = Stopwatch.GetTimestamp();
        _average += (Math.Min(now - begun, OneMax) - _average) / Averaged;
        if (_average > AverageMax) Pause();
        return now;
    }

    /// <summary>One took far too long.</summary>
    public void Pause()
    {
        var now = Stopwatch.GetTimestamp();
        if (now - _pausedUntil > PauseMax) _pause = PauseMin;
        Volatile.Write(ref _pausedUntil, now + _pause);
        _pause = Math.Min(_pause * 2, PauseMax);
        _average = 0;
    }

    private static double Ticks(TimeSpan time) => time.TotalSeconds * Stopwatch.Frequency;
}
