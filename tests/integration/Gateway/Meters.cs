using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What the gateway of one test has counted.</summary>
internal sealed class Meters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Name, object? Reason), long> _sums = new();

    public Meters(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            // Without an allocation: tests measure those of what is counted.
            var key = (instrument.Name, tags.Length == 0 ? null : tags[0].Value);
            _sums.AddOrUpdate(key, static (_, added) => added, static (_, sum, added) => sum + added, value);
        });
        _listener.Start();
    }

    /// <summary>The sum of a counter; a reason is added as <c>name/reason</c>.</summary>
    public long this[string name] =>
        name.Split('/', 2) is [var counter, var reason] ? Sum(counter, reason) : Sum(name, reason: null);

    public IEnumerable<KeyValuePair<string, long>> All => _sums
        .Select(each => KeyValuePair.Create(
            each.Key.Reason is null ? each.Key.Name : $"{each.Key.Name}/{each.Key.Reason}", each.Value))
        .OrderBy(each => each.Key, StringComparer.Ordinal);

    private long Sum(string counter, string? reason) =>
        _sums.GetValueOrDefault(("millrace.gateway." + counter, reason));

    public void Dispose() => _listener.Dispose();
}
