using System.Diagnostics.Metrics;

namespace Millrace.Benchmarks.EventLog;

/// <summary>What a counter of this process counted while we looked.</summary>
internal sealed class CounterSum : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _sum;

    public CounterSum(string instrument)
    {
        _listener.InstrumentPublished = (found, listener) =>
        {
            if (found.Name == instrument) listener.EnableMeasurementEvents(found);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _sum, value));
        _listener.Start();
    }

    public double Sum => Interlocked.Read(ref _sum);

    public void Dispose() => _listener.Dispose();
}
