using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millrace.Cql.Tests.Observability;

/// <summary>What the client has counted since this was made.</summary>
internal sealed class Meters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)> _all = new();

    public Meters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Millrace.Cql") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The measurements of one instrument, with these tags among theirs.</summary>
    public IReadOnlyList<(double Value, Dictionary<string, object?> Tags)> Of(
        string instrument, params (string Key, object? Value)[] tags) =>
        [.. _all.Where(one => one.Name == instrument
                && tags.All(tag => one.Tags.TryGetValue(tag.Key, out var value) && Equals(value, tag.Value)))
            .Select(one => (one.Value, one.Tags))];

    public double Sum(string instrument, params (string Key, object? Value)[] tags) =>
        Of(instrument, tags).Sum(one => one.Value);

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _all.Enqueue((instrument.Name, value, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));
}
