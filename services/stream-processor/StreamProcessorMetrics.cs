using System.Diagnostics.Metrics;
using Millrace.Contracts;

namespace Millrace.StreamProcessor;

internal static class StreamProcessorMetrics
{
    private static readonly Meter Meter = new("Millrace.StreamProcessor");
    private static volatile string[] _failed = [];

    public static readonly Counter<long> RecordsIn = Meter.CreateCounter<long>("millrace.query.records.in");
    public static readonly Counter<long> RowsIn = Meter.CreateCounter<long>("millrace.query.rows.in");
    public static readonly Counter<long> RowsTaken = Meter.CreateCounter<long>("millrace.query.rows.taken");
    public static readonly Counter<long> RowsShared = Meter.CreateCounter<long>(
        "millrace.query.rows.shared", "{row}", "Rows whose fields another reader had decoded");
    public static readonly Counter<long> RowsOut = Meter.CreateCounter<long>("millrace.query.rows.out");
    public static readonly Counter<long> RowsFailed = Meter.CreateCounter<long>("millrace.query.rows.failed");
    public static readonly Counter<long> EventsDropped = Meter.CreateCounter<long>("millrace.query.events.dropped");
    public static readonly Counter<long> RowsKnown = Meter.CreateCounter<long>("millrace.query.rows.known");
    public static readonly Counter<long> RowsNotMadeAgain = Meter.CreateCounter<long>(
        "millrace.query.rows.unmade", "{row}", "Rows behind a checkpoint that their records did not make again");
    public static readonly Counter<long> RowsRepartitioned =
        Meter.CreateCounter<long>("millrace.query.rows.repartitioned");

    public static readonly Counter<long> EpochsRaised = Meter.CreateCounter<long>("millrace.query.epochs.raised");
    public static readonly Counter<long> OwnersStale = Meter.CreateCounter<long>("millrace.query.owners.stale");
    public static readonly Counter<long> IdleMarks = Meter.CreateCounter<long>("millrace.query.idle.marks");

    public static readonly Counter<long> ReferencesFailed =
        Meter.CreateCounter<long>("millrace.query.references.failed");
    public static readonly Counter<long> EntriesLeftOut = Meter.CreateCounter<long>(
        "millrace.query.reference.entries.left.out", "{entry}", "Entries that no row can meet, as their keys fail");

    public static readonly Histogram<double> CheckpointMs =
        Meter.CreateHistogram<double>("millrace.query.checkpoint.duration", "ms");

    public static readonly Histogram<double> QueryDelay = Meter.CreateHistogram<double>(
        "millrace.query.delay", "s", "From the time of a read's oldest record until what it made is in the log");
    public static readonly Counter<double> QueryBusy = Meter.CreateCounter<double>(
        "millrace.query.busy.time", "s", "Spent on evaluating rows");

    public static readonly Histogram<double> WarmDelay = Meter.CreateHistogram<double>(
        "millrace.warm.delay", "s", "From the time of a write's oldest record until its rows are stored");
    public static readonly Counter<long> Written = Meter.CreateCounter<long>("millrace.warm.rows.written");
    public static readonly Counter<long> Refused = Meter.CreateCounter<long>("millrace.warm.rows.refused");
    public static readonly Counter<long> WriteRetries = Meter.CreateCounter<long>("millrace.warm.writes.retried");
    public static readonly Counter<long> PositionsFailed =
        Meter.CreateCounter<long>("millrace.warm.positions.failed");
    public static readonly Counter<long> Missed = Meter.CreateCounter<long>("millrace.warm.records.missed");
    public static readonly Counter<long> Fenced = Meter.CreateCounter<long>("millrace.warm.rows.fenced");
    public static readonly Counter<long> DeadLetters = Meter.CreateCounter<long>("millrace.stream.dead.letters");
    public static readonly Counter<long> Restarts = Meter.CreateCounter<long>("millrace.stream.restarts");
    public static readonly Counter<long> ReplaysRefused = Meter.CreateCounter<long>("millrace.stream.replays.refused");
    public static readonly Counter<long> SeverityUnknown = Meter.CreateCounter<long>(
        "millrace.alerts.severity.unknown");

    static StreamProcessorMetrics() => Meter.CreateObservableGauge("millrace.query.failed",
        () => _failed.Select(name => new Measurement<int>(1, Query(name))), "{query}", "1 of each that stands failed");

    /// <summary>Which queries stand failed now.</summary>
    public static void StandFailed(IEnumerable<string> names) => _failed = [.. names];

    /// <summary>How long ago the record was written that the batch begins with.</summary>
    public static double Age(RecordBatch batch, TimeProvider time)
    {
        // Whoever wrote it may have a clock that is ahead.
        foreach (var record in batch)
            return Math.Max(0, (time.GetUtcNow().ToUnixTimeMilliseconds() - record.TimestampMs) / 1000.0);
        return 0;
    }

    public static KeyValuePair<string, object?> Query(string name) => new("query", name);

    public static KeyValuePair<string, object?> Reference(string name) => new("reference", name);

    public static KeyValuePair<string, object?> Sink(string name) => new("sink", name);

    public static KeyValuePair<string, object?> Stage(string name) => new("stage", name);
}
