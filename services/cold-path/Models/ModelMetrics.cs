using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Millrace.ColdPath.Models;

/// <summary>What jobs with models count.</summary>
internal sealed class ModelMetrics
{
    private readonly ConcurrentDictionary<(string Model, string Feature), double> _drift = [];
    private readonly Counter<long> _trained;
    private readonly Counter<long> _scored;
    private readonly Counter<long> _incomplete;
    private readonly Counter<long> _pruned;

    public ModelMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Millrace.ColdPath.Models");
        _trained = meter.CreateCounter<long>("millrace.models.trained");
        _scored = meter.CreateCounter<long>("millrace.models.rows.scored");
        _incomplete = meter.CreateCounter<long>("millrace.models.rows.incomplete");
        _pruned = meter.CreateCounter<long>("millrace.models.pruned");
        meter.CreateObservableGauge("millrace.models.drift", () => _drift.Select(one => new Measurement<double>(
            one.Value, new KeyValuePair<string, object?>("model", one.Key.Model),
            new KeyValuePair<string, object?>("feature", one.Key.Feature))));
    }

    public void Trained(string model) => _trained.Add(1, new KeyValuePair<string, object?>("model", model));

    public void Pruned(string model, int versions) =>
        _pruned.Add(versions, new KeyValuePair<string, object?>("model", model));

    /// <param name="incomplete">Rows without a score, because a feature is null.</param>
    public void Scored(string model, long rows, long incomplete)
    {
        _scored.Add(rows - incomplete, new KeyValuePair<string, object?>("model", model));
        _incomplete.Add(incomplete, new KeyValuePair<string, object?>("model", model));
    }

    public void Drifted(string model, string feature, double index) => _drift[(model, feature)] = index;
}
