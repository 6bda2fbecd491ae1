using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Catalog;
using Millrace.EventLog.Kafka.Groups;
using Millrace.EventLog.Kafka.Producing;
using Millrace.EventLog.Kafka.Reading;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// The event log on a Kafka cluster. It connects in the background: what needs the cluster waits for it.
/// docs/event-log.md says what it guarantees.
/// </summary>
public sealed partial class KafkaLog : IRetainedLog
{
    /// <summary>The brokers answer when a transaction is given up, and write its end soon after.</summary>
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(20);

    private readonly KafkaLogOptions _options;
    private readonly long _appendBytesMax;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly EventLogMetrics _metrics = new();
    private readonly KafkaAdmin _admin;
    private readonly TopicCatalog _catalog;
    private readonly TopicMaker _maker;
    private readonly KafkaProducers _producers;
    private readonly ReaderPool _readers;
    private readonly ConcurrentDictionary<TopicPartition, PartitionFeeds> _feeds = new();
    private readonly OffsetQueries _offsets;
    private readonly PartitionBarriers _barriers;
    private readonly GroupOffsets _groups;
    private readonly ConcurrentDictionary<(string Group, string Topic), GroupMember> _members = new();
    private readonly CancellationTokenSource _stopped = new();
    private int _disposed;

    public KafkaLog(
        KafkaLogOptions options, EventLogOptions? log = null, TimeProvider? time = null,
        ILoggerFactory? loggers = null)
    {
        _options = options;
        log ??= new EventLogOptions();
        _appendBytesMax = log.AppendBytesMax.Bytes;
        _time = time ?? TimeProvider.System;
        _log = new QuietLog((loggers ?? NullLoggerFactory.Instance).CreateLogger<KafkaLog>(), _time);
        _admin = new KafkaAdmin(options, _log, _time);
        _catalog = new TopicCatalog(_admin, options, _log, _time);
        _maker = new TopicMaker(_admin, _catalog, options, log.TimeAheadMax, _log, _time);
        _producers = new KafkaProducers(options, _log, _time, _metrics);
        _readers = new ReaderPool(options, _log, _time);
        _offsets = new OffsetQueries(options, _log, _time);
        _barriers = new PartitionBarriers(options, _log, _time);
        _groups = new GroupOffsets(this, _maker, _metrics, _log, _time);
    }

    public IReadOnlyList<string> Topics =>
        [.. _catalog.Topics.Keys.Where(topic => topic != GroupOffsets.Topic).Order(StringComparer.Ordinal)];

    public TimeSpan OldestAppend => _producers.OldestAppend;

    public long RecordBytesMax => _options.Producer.RecordBytesMax.Bytes;

    public bool RefusesAhead(string topic) => _maker.RefusesAhead(topic);

    internal KafkaProducers Producers => _producers;

    internal ReaderPool Readers => _readers;

    internal GroupOffsets Groups => _groups;

    internal KafkaAdmin Admin => _admin;

    /// <summary>What the members of groups in this process have now.</summary>
    internal IReadOnlyList<(string Group, TopicPartition Partition)> Held =>
        [.. _members.SelectMany(member => member.Value.Held.Select(partition => (member.Key.Group, partition)))];

    public ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(spec.Partitions);
        _ensured.TryAdd(spec.Name, true);
        return _maker.EnsureAsync(spec, ct);
    }

    public TopicInfo? FindTopic(string name) => _catalog.Topics.GetValueOrDefault(name);

    public ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<OffsetRange>(ct);
        if (Refusal(partition, records) is { } refusal) return ValueTask.FromException<OffsetRange>(refusal);
        var answer = new AwaitedAppend();
        _producers.Of(partition).Append(_admin.Named(partition.Topic), partition, records, answer, ct);
        return new ValueTask<OffsetRange>(answer.Task);
    }

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        if (Refusal(partition, records) is { } refusal) return refusal;
        _producers.Of(partition)
            .Append(_admin.Named(partition.Topic), partition, records, owner, CancellationToken.None);
        return null;
    }

    public IPartitionReader OpenReader(TopicPartition partition, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Check(partition);
        return new KafkaPartitionReader(this, partition, offset);
    }

    public ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default)
    {
        Check(partition);
        return new ValueTask<OffsetRange>(_offsets.RangeAsync(partition, ct));
    }

    public async ValueTask<OffsetRange> SettledRangeAsync(TopicPartition partition, CancellationToken ct = default)
    {
        Check(partition);
        var barrier = await _barriers.PutAsync(partition).WaitAsync(ct).ConfigureAwait(false);
        var started = _time.GetTimestamp();
        while (true)
        {
            var range = await _offsets.RangeAsync(partition, ct).ConfigureAwait(false);
            if (barrier is null || range.Next > barrier) return range;
            if (_time.GetElapsedTime(started) > _options.RequestTimeout)
                throw KafkaLogErrors.ClusterFailed.With(partition, $"{barrier} is not to be read yet.").AsException();
            await Task.Delay(SettlePause, _time, ct).ConfigureAwait(false);
        }
    }

    public async ValueTask<long> OffsetAtAsync(
        TopicPartition partition, long timestampMs, CancellationToken ct = default)
    {
        Check(partition);
        var found = await _offsets.AtTimeAsync(partition, timestampMs, ct).ConfigureAwait(false);
        return found >= 0 ? found : (await _offsets.RangeAsync(partition, ct).ConfigureAwait(false)).Next;
    }

    public ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        Check(partition);
        return new ValueTask(_groups.CommitAsync(group, partition, new CommittedOffset(nextOffset, metadata), ct));
    }

    public ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default) =>
        _groups.CommittedAsync(group, partition, ct);

    public ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default) => _groups.NamesAsync(ct);

    public ValueTask<IReadOnlyList<GroupTopic>> GroupTopicsAsync(CancellationToken ct = default) =>
        _groups.TopicsAsync(ct);

    public ValueTask ForgetGroupAsync(string group, CancellationToken ct = default) =>
        _groups.ForgetAsync(group, topic: null, ct);

    public ValueTask ForgetTopicAsync(string group, string topic, CancellationToken ct = default) =>
        _groups.ForgetAsync(group, topic, ct);

    public async IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var info = FindTopic(topic) ?? throw EventLogErrors.NotFound.With(topic).AsException();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, _stopped.Token);
        var member = new GroupMember(group, info, _admin, _options, _log);
        _members[(group, topic)] = member;
        try
        {
            await foreach (var change in member.WatchAsync(either.Token).ConfigureAwait(false)) yield return change;
        }
        finally
        {
            _members.TryRemove(new((group, topic), member));
        }
    }

    public ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default)
    {
        Check(partition);
        return _admin.DeleteBeforeAsync(partition, beforeOffset, ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _producers.DisposeAsync().ConfigureAwait(false);
        await _groups.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
        await _catalog.DisposeAsync().ConfigureAwait(false);
        await _barriers.DisposeAsync().ConfigureAwait(false);
        await _offsets.DisposeAsync().ConfigureAwait(false);
        _admin.Dispose();
        _metrics.Dispose();
        _stopped.Dispose();
    }

    /// <summary>Lets the cluster's tools see what was committed, when this process works on the partition.</summary>
    internal void Show(string group, TopicPartition partition, long nextOffset)
    {
        if (_members.TryGetValue((group, partition.Topic), out var member)) member.Show(partition, nextOffset);
    }

    /// <summary>What the readers of a partition in this process share.</summary>
    internal PartitionFeeds Feeds(TopicPartition partition) => _feeds.GetOrAdd(partition, one => new PartitionFeeds(
        one, offset => _readers.Fetch(_admin.Named(one.Topic), one, offset),
        _options.Consumer.SharedBytesMax.Bytes));

    private Exception? Refusal(TopicPartition partition, RecordBatchBuilder records)
    {
        ObjectDisposedException.ThrowIf(_disposed == 1, this);
        Check(partition);
        if (records.Count == 0) throw new ArgumentException("The builder has no records.", nameof(records));
        if (TooLarge(records) is not { } tooLarge) return null;
        _metrics.Refusals.Add(1, EventLogMetrics.Topic(partition.Topic), EventLogMetrics.Reason("too-large"));
        return EventLogErrors.AppendTooLarge.With(partition, tooLarge).AsException();
    }

    private string? TooLarge(RecordBatchBuilder records)
    {
        var recordBytesMax = _options.Producer.RecordBytesMax;
        if (records.ByteCount > _appendBytesMax) return $"It has {records.ByteCount} bytes.";
        if (records.ByteCount <= recordBytesMax.Bytes) return null;
        foreach (var record in new RecordBatch(default, 0, records.Count, records.Bytes))
        {
            if (record.Bytes.Length <= recordBytesMax.Bytes) continue;
            return $"A record has {record.Bytes.Length} bytes; EventLog:Kafka:Producer:RecordBytesMax is "
                + $"{recordBytesMax}.";
        }

        return null;
    }

    private void Check(TopicPartition id)
    {
        if (FindTopic(id.Topic) is { } topic && (uint)id.Partition < (uint)topic.Partitions) return;
        throw EventLogErrors.NotFound.With(id).AsException();
    }
}
