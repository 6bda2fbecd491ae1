using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.ObjectStore;

namespace Millrace.Archiver;

/// <summary>What this process archives: telemetry always, outputs of queries as they are asked for.</summary>
internal sealed class TopicArchivers
{
    private readonly ConcurrentDictionary<string, TopicArchiver> _byTopic = new();
    private readonly ArchiveTables _tables;
    private readonly IObjectStore _store;
    private readonly IEventLog _log;
    private readonly ArchiverOptions _options;
    private readonly ArchiverStatus _status;
    private readonly ArchiverMetrics _metrics;
    private readonly RecordClock _clock;
    private readonly TimeProvider _time;
    private readonly ILogger<TopicArchiver> _logger;

    public TopicArchivers(
        ArchiveTables tables, IObjectStore store, IEventLog log, ArchiverAssignment telemetry,
        IOptions<ArchiverOptions> options, ArchiverStatus status, ArchiverMetrics metrics, RecordClock clock,
        TimeProvider time, ILogger<TopicArchiver> logger)
    {
        (_tables, _store, _log, _options) = (tables, store, log, options.Value);
        (_status, _metrics, _clock, _time, _logger) = (status, metrics, clock, time, logger);
        Add(ArchiveTopic.Telemetry(tables, _options, logger), telemetry);
    }

    public ICollection<TopicArchiver> All => _byTopic.Values;

    /// <summary>Who archives the topic in this process, or null.</summary>
    public TopicArchiver? Find(string topic) => _byTopic.GetValueOrDefault(topic);

    public TopicArchiver AddOutput(string output) =>
        Add(ArchiveTopic.OfOutput(output, _tables, _options), new ArchiverAssignment());

    public void RemoveOutput(string output) => _byTopic.TryRemove(Topics.Output(output), out _);

    private TopicArchiver Add(ArchiveTopic topic, ArchiverAssignment assignment)
    {
        var writer = new ArchiveWriter(topic, _store, _log, _options, _status, _metrics, _clock, _time, _logger);
        return _byTopic[topic.Name] =
            new TopicArchiver(writer, _log, assignment, _options, _metrics, _time, _logger);
    }
}
