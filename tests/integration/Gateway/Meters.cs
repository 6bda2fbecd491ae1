using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What the gateway of one test has counted.</summary>
internal sealed class Meters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = new();

    public Meters(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var reason = tags.Length == 0 ? "" : $"/{tags[0].Value}";
            _sums.AddOrUpdate(instrument.Name + reason, value, (_, sum) => sum + value);
        });
        _listener.Start();
    }

    /// <summary>The sum of a counter; a reason is added as <c>name/reason</c>.</summary>
    public long this[string name] => _sums.GetValueOrDefault("millrace.gateway." + name);

    public IEnumerable<KeyValuePair<string, long>> All => _sums.OrderBy(each => each.Key, StringComparer.Ordinal);

    public void Dispose() => _listener.Dispose();
}
