using System.Diagnostics.Metrics;

namespace Millrace.Benchmarks.EventLog;

/// <summary>How many writes with a sync the log made while we looked, and how long they took together.</summary>
internal sealed class SyncTimes : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count;
    private long _ticks;

    public SyncTimes()
    {
        _listener.InstrumentPublished = (found, listener) =>
        {
            if (found.Name == "millrace.eventlog.sync.duration") listener.EnableMeasurementEvents(found);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            Interlocked.Increment(ref _count);
            Interlocked.Add(ref _ticks, TimeSpan.FromSeconds(seconds).Ticks);
        });
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);

    public double MeanMs => TimeSpan.FromTicks(Interlocked.Read(ref _ticks)).TotalMilliseconds / Math.Max(1, Count);

    public void Dispose() => _listener.Dispose();
}
