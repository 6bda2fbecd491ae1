using System.Diagnostics.Metrics;

namespace Millrace.Archiver;

/// <summary>What the archiver counts.</summary>
internal sealed class ArchiverMetrics
{
    private readonly Counter<long> _rows;
    private readonly Counter<long> _files;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _commits;
    private readonly Counter<long> _conflicts;
    private readonly Counter<long> _deadLetters;
    private readonly Counter<long> _replays;
    private readonly Counter<long> _restarts;
    private readonly Histogram<double> _flush;

    public ArchiverMetrics(IMeterFactory meters, ArchiverStatus status)
    {
        var meter = meters.Create("Millrace.Archiver");
        _rows = meter.CreateCounter<long>("millrace.archiver.rows");
        _files = meter.CreateCounter<long>("millrace.archiver.files");
        _bytes = meter.CreateCounter<long>("millrace.archiver.written", "By");
        _commits = meter.CreateCounter<long>("millrace.archiver.commits");
        _conflicts = meter.CreateCounter<long>("millrace.archiver.commit.conflicts");
        _deadLetters = meter.CreateCounter<long>("millrace.archiver.dead.letters");
        _replays = meter.CreateCounter<long>("millrace.archiver.replays");
        _restarts = meter.CreateCounter<long>("millrace.archiver.restarts");
        _flush = meter.CreateHistogram<double>("millrace.archiver.flush.duration", "s");
        meter.CreateObservableGauge("millrace.archiver.lag.records", () => status.LagRecords);
        meter.CreateObservableGauge("millrace.archiver.lag", () => status.Lag.TotalSeconds, "s");
        meter.CreateObservableGauge("millrace.archiver.table.rows", () => status.ArchivedRows);
    }

    public void Flushed(long rows, int files, long bytes, TimeSpan duration)
    {
        _rows.Add(rows);
        _files.Add(files);
        _bytes.Add(bytes);
        _commits.Add(1);
        _flush.Record(duration.TotalSeconds);
    }

    public void Conflicts(int count)
    {
        if (count > 0) _conflicts.Add(count);
    }

    /// <summary>A record that the table's position has passed, and that is no row.</summary>
    /// <param name="reason">The code of the error.</param>
    public void DeadLettered(string reason) => _deadLetters.Add(1, Reason(reason));

    /// <param name="reason">replayed, failed-again, or known (it was in the table already).</param>
    public void Replayed(string reason) => _replays.Add(1, Reason(reason));

    /// <param name="reason">superseded, expired, read or failed.</param>
    public void Restarted(string reason) => _restarts.Add(1, Reason(reason));

    private static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);
}
