using System.Diagnostics.Metrics;
using Millrace.Delta;

namespace Millrace.Archiver;

/// <summary>What the archiver counts.</summary>
internal sealed class ArchiverMetrics
{
    private readonly ArchiverStatus _status;
    private readonly Counter<long> _rows;
    private readonly Counter<long> _files;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _commits;
    private readonly Counter<long> _conflicts;
    private readonly Counter<long> _deadLetters;
    private readonly Counter<long> _replays;
    private readonly Counter<long> _restarts;
    private readonly Histogram<double> _flush;
    private readonly Counter<long> _compactions;
    private readonly Counter<long> _compactedFiles;
    private readonly Counter<long> _compactedRows;
    private readonly Counter<long> _removed;
    private readonly Counter<long> _vacuumedFiles;
    private readonly Counter<long> _vacuumedBytes;
    private readonly Counter<long> _upkeepFailures;
    private readonly Counter<long> _outputRows;
    private readonly Counter<long> _outputFenced;
    private readonly Counter<long> _outputDeadLetters;
    private readonly Counter<long> _outputRemoved;

    public ArchiverMetrics(IMeterFactory meters, ArchiverStatus status)
    {
        _status = status;
        var meter = meters.Create("Millrace.Archiver");
        _rows = meter.CreateCounter<long>("millrace.archiver.rows");
        _files = meter.CreateCounter<long>("millrace.archiver.files");
        _bytes = meter.CreateCounter<long>("millrace.archiver.written", "By");
        _commits = meter.CreateCounter<long>("millrace.archiver.commits");
        _conflicts = meter.CreateCounter<long>("millrace.archiver.commit.conflicts");
        _deadLetters = meter.CreateCounter<long>("millrace.archiver.dead.letters");
        _replays = meter.CreateCounter<long>("millrace.archiver.replays");
        _restarts = meter.CreateCounter<long>("millrace.archiver.restarts");
        _compactions = meter.CreateCounter<long>("millrace.archiver.compactions");
        _compactedFiles = meter.CreateCounter<long>("millrace.archiver.compacted.files");
        _compactedRows = meter.CreateCounter<long>("millrace.archiver.compacted.rows");
        _removed = meter.CreateCounter<long>("millrace.archiver.removed.rows");
        _vacuumedFiles = meter.CreateCounter<long>("millrace.archiver.vacuumed.files");
        _vacuumedBytes = meter.CreateCounter<long>("millrace.archiver.vacuumed", "By");
        _upkeepFailures = meter.CreateCounter<long>("millrace.archiver.upkeep.failures");
        _outputRows = meter.CreateCounter<long>("millrace.archiver.output.rows");
        _outputFenced = meter.CreateCounter<long>("millrace.archiver.output.fenced");
        _outputDeadLetters = meter.CreateCounter<long>("millrace.archiver.output.dead.letters");
        _outputRemoved = meter.CreateCounter<long>("millrace.archiver.output.removed.rows");
        _flush = meter.CreateHistogram<double>("millrace.archiver.flush.duration", "s");
        meter.CreateObservableGauge("millrace.archiver.lag.records", () => status.TelemetryLag.Records);
        meter.CreateObservableGauge("millrace.archiver.lag", () => status.TelemetryLag.Time.TotalSeconds, "s");
        meter.CreateObservableGauge("millrace.archiver.output.lag.records", () => status.OutputLags
            .Select(each => new Measurement<long>(each.Value.Records, Output(each.Key))));
        meter.CreateObservableGauge("millrace.archiver.output.lag", () => status.OutputLags
            .Select(each => new Measurement<double>(each.Value.Time.TotalSeconds, Output(each.Key))), "s");
        meter.CreateObservableGauge("millrace.archiver.table.rows", () => status.ArchivedRows);
    }

    /// <param name="output">The query output whose rows they are; null for telemetry.</param>
    public void Flushed(string? output, long rows, int files, long bytes, TimeSpan duration)
    {
        if (output is null) _rows.Add(rows);
        else _outputRows.Add(rows, Output(output));
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
    /// <param name="output">The query output that it is of; null for telemetry.</param>
    /// <param name="reason">The code of the error.</param>
    public void DeadLettered(string? output, string reason)
    {
        if (output is null) _deadLetters.Add(1, Reason(reason));
        else _outputDeadLetters.Add(1, Output(output), Reason(reason));
    }

    /// <summary>Rows of stale owners, which do not count.</summary>
    public void Fenced(string? output, int rows)
    {
        if (output is not null && rows > 0) _outputFenced.Add(rows, Output(output));
    }

    /// <param name="reason">replayed, failed-again, or known (it was in the table already).</param>
    public void Replayed(string reason) => _replays.Add(1, Reason(reason));

    /// <param name="reason">superseded, expired, read or failed.</param>
    public void Restarted(string reason) => _restarts.Add(1, Reason(reason));

    /// <summary>A merge of files, done or void because another commit was faster.</summary>
    public void Compacted(DeltaCommitOutcome outcome, int files, long rows)
    {
        _compactions.Add(1, Reason(outcome == DeltaCommitOutcome.Committed ? "done" : "void"));
        if (outcome != DeltaCommitOutcome.Committed) return;
        _compactedFiles.Add(files);
        _compactedRows.Add(rows);
    }

    /// <summary>Rows that are not part of the table any more.</summary>
    /// <param name="output">The query output that they are of; null for telemetry.</param>
    /// <param name="reason">retention or erased.</param>
    public void RowsRemoved(string? output, string reason, long rows)
    {
        if (output is not null)
        {
            _outputRemoved.Add(rows, Output(output), Reason(reason));
            return;
        }

        _removed.Add(rows, Reason(reason));
        _status.RemoveArchived(rows);
    }

    public void Vacuumed(int files, long bytes)
    {
        _vacuumedFiles.Add(files);
        _vacuumedBytes.Add(bytes);
    }

    /// <param name="reason">log, listing, retention, compaction or vacuum.</param>
    public void UpkeepFailed(string reason) => _upkeepFailures.Add(1, Reason(reason));

    private static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);

    private static KeyValuePair<string, object?> Output(string output) => new("output", output);
}
