using System.Diagnostics.Metrics;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath;

/// <summary>What runs of jobs count.</summary>
internal sealed class ColdPathMetrics
{
    private readonly Counter<long> _runs;
    private readonly Histogram<double> _duration;

    public ColdPathMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Millrace.ColdPath");
        _runs = meter.CreateCounter<long>("millrace.cold.runs");
        _duration = meter.CreateHistogram<double>("millrace.cold.run.duration", "s");
    }

    public void Ran(string job, JobRunState state, TimeSpan duration)
    {
        _runs.Add(1, new("job", job), new("state", state.ToString().ToLowerInvariant()));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("job", job));
    }
}
