using System.Diagnostics.Metrics;

namespace Millrace.EventLog;

/// <summary>What the event log counts; each instrument has the tag topic where that makes sense.</summary>
internal sealed class EventLogMetrics : IDisposable
{
    public const string MeterName = "Millrace.EventLog";

    private readonly Meter _meter = new(MeterName);

    public EventLogMetrics()
    {
        Appends = _meter.CreateCounter<long>("millrace.eventlog.appends", "{append}", "Appends made durable");
        Records = _meter.CreateCounter<long>("millrace.eventlog.records", "{record}", "Records made durable");
        Bytes = _meter.CreateCounter<long>("millrace.eventlog.bytes", "By", "Bytes made durable, headers included");
        Syncs = _meter.CreateCounter<long>("millrace.eventlog.syncs", "{sync}", "Syncs of segment files");
        SharedSyncs = _meter.CreateCounter<long>(
            "millrace.eventlog.syncs.shared", "{sync}", "Syncs of the write-ahead log, each for several partitions");
        SyncDuration = _meter.CreateHistogram<double>("millrace.eventlog.sync.duration", "s", "Write and sync");
        BatchRecords = _meter.CreateHistogram<int>("millrace.eventlog.batch.records", "{record}", "Records a batch");
        TornBytes = _meter.CreateCounter<long>("millrace.eventlog.torn.bytes", "By", "Unfinished bytes cut at open");
        Refusals = _meter.CreateCounter<long>("millrace.eventlog.refusals", "{append}", "Appends not taken, by reason");
        Trimmed = _meter.CreateCounter<long>("millrace.eventlog.trimmed", "{record}", "Records deleted by retention");
        PassedBy = _meter.CreateCounter<long>("millrace.eventlog.retention.passed",
            "{record}", "Records deleted before a consumer that held them had read them");
        RetentionFailures = _meter.CreateCounter<long>("millrace.eventlog.retention.failures",
            "{partition}", "Partitions that could not be looked at or trimmed in a round");
        CommitsUnread = _meter.CreateCounter<long>("millrace.eventlog.commits.unread",
            "{record}", "Records among the commits in Kafka that are none");
        ProducersRenewed = _meter.CreateCounter<long>("millrace.eventlog.producer.renewals",
            "{producer}", "Kafka producers that could not go on and were replaced");
        Damage = _meter.CreateCounter<long>("millrace.eventlog.damage", "{place}", "Damaged places met by readers");
    }

    public Counter<long> Appends { get; }
    public Counter<long> Records { get; }
    public Counter<long> Bytes { get; }
    public Counter<long> Syncs { get; }
    public Counter<long> SharedSyncs { get; }
    public Histogram<double> SyncDuration { get; }
    public Histogram<int> BatchRecords { get; }
    public Counter<long> TornBytes { get; }
    public Counter<long> Refusals { get; }
    public Counter<long> Trimmed { get; }
    public Counter<long> PassedBy { get; }
    public Counter<long> RetentionFailures { get; }
    public Counter<long> CommitsUnread { get; }
    public Counter<long> ProducersRenewed { get; }
    public Counter<long> Damage { get; }

    public static KeyValuePair<string, object?> Topic(string name) => new("topic", name);

    public static KeyValuePair<string, object?> Reason(string word) => new("reason", word);

    public void Dispose() => _meter.Dispose();
}
