using System.Diagnostics.Metrics;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath;

/// <summary>What runs of jobs count.</summary>
internal sealed class ColdPathMetrics
{
    private readonly Counter<long> _runs;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _leasesLost;
    private readonly Counter<long> _partsGone;
    private readonly Counter<long> _vacuumed;
    private readonly Counter<long> _retired;
    private readonly Counter<long> _upkeepFailures;

    public ColdPathMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Millrace.ColdPath");
        _runs = meter.CreateCounter<long>("millrace.cold.runs");
        _leasesLost = meter.CreateCounter<long>("millrace.cold.leases.lost");
        _partsGone = meter.CreateCounter<long>("millrace.cold.parts.gone");
        _vacuumed = meter.CreateCounter<long>("millrace.cold.vacuumed.files");
        _retired = meter.CreateCounter<long>("millrace.cold.retired.results");
        _upkeepFailures = meter.CreateCounter<long>("millrace.cold.upkeep.failures");
        _duration = meter.CreateHistogram<double>("millrace.cold.run.duration", "s");
    }

    public void LeaseLost(string job) => _leasesLost.Add(1, new KeyValuePair<string, object?>("job", job));

    public void PartsGone(string job, int parts) =>
        _partsGone.Add(parts, new KeyValuePair<string, object?>("job", job));

    public void Vacuumed(string job, int files) => _vacuumed.Add(files, new KeyValuePair<string, object?>("job", job));

    public void Retired(int files) => _retired.Add(files);

    public void UpkeepFailed(string job) => _upkeepFailures.Add(1, new KeyValuePair<string, object?>("job", job));

    public void Ran(string job, JobRunState state, TimeSpan duration)
    {
        _runs.Add(1, new("job", job), new("state", state.ToString().ToLowerInvariant()));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("job", job));
    }
}
