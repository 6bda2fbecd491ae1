using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millrace.Contract.Tests.Archive;

/// <summary>What the archivers of this process count from now on.</summary>
internal sealed class ArchiverCounts : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = new();

    public ArchiverCounts()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Millrace.Archiver") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var reason = tags.Length == 0 ? "" : $"/{tags[0].Value}";
            _sums.AddOrUpdate(instrument.Name["millrace.archiver.".Length..] + reason, value, (_, sum) => sum + value);
        });
        _listener.Start();
    }

    /// <summary>The sum of a counter; a reason is added as <c>name/reason</c>.</summary>
    public long this[string name] => _sums.GetValueOrDefault(name);

    public void Dispose() => _listener.Dispose();
}
