using System.Diagnostics.Metrics;

namespace Millrace.Batch;

/// <summary>What batch engines count.</summary>
internal sealed class BatchMetrics
{
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _filesRead;
    private readonly Counter<long> _filesPruned;
    private readonly Counter<long> _rowGroupsRead;
    private readonly Counter<long> _rowGroupsPruned;
    private readonly Counter<long> _fetched;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _evicted;

    public BatchMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Millrace.Batch");
        _duration = meter.CreateHistogram<double>("millrace.batch.query.duration", "s");
        _failures = meter.CreateCounter<long>("millrace.batch.query.failures");
        _filesRead = meter.CreateCounter<long>("millrace.batch.files.read");
        _fetched = meter.CreateCounter<long>("millrace.batch.cache.fetched", "By");
        _requests = meter.CreateCounter<long>("millrace.batch.cache.requests");
        _evicted = meter.CreateCounter<long>("millrace.batch.cache.evicted");
        _filesPruned = meter.CreateCounter<long>("millrace.batch.files.pruned");
        _rowGroupsRead = meter.CreateCounter<long>("millrace.batch.row.groups.read");
        _rowGroupsPruned = meter.CreateCounter<long>("millrace.batch.row.groups.pruned");
    }

    public void Ran(TimeSpan duration) => _duration.Record(duration.TotalSeconds);

    /// <param name="reason">refused, failed, timeout or cancelled.</param>
    public void Failed(string reason) => _failures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Pruned(int read, int pruned)
    {
        _filesRead.Add(read);
        _filesPruned.Add(pruned);
    }

    /// <summary>Of the files that are read from an object store without local ones.</summary>
    public void PrunedRowGroups(int read, int pruned)
    {
        _rowGroupsRead.Add(read);
        _rowGroupsPruned.Add(pruned);
    }

    /// <summary>A part of an object was read into the cache.</summary>
    public void Fetched(long bytes)
    {
        _fetched.Add(bytes);
        _requests.Add(1);
    }

    public void Evicted() => _evicted.Add(1);
}
