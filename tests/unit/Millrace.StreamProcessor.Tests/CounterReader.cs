using System.Diagnostics.Metrics;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What a counter counts from now on.</summary>
internal sealed class CounterReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _total;

    /// <param name="tag">What must be among its tags to be counted; null for all.</param>
    public CounterReader(string name, (string Key, string Value)? tag = null)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == name) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tag is not { } one || tags.Contains(new KeyValuePair<string, object?>(one.Key, one.Value)))
                Interlocked.Add(ref _total, count);
        });
        _listener.Start();
    }

    public long Total => Interlocked.Read(ref _total);

    public void Dispose() => _listener.Dispose();
}
