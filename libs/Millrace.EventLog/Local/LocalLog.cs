using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog.Disk;
using Millrace.EventLog.Local.WriteAhead;
using Millrace.EventLog.Retention;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// The event log in a folder of this machine: one folder a topic, one a partition, segment files with checksums, one
/// write and one fdatasync for all appends that wait. docs/event-log.md says what it guarantees.
/// </summary>
public sealed partial class LocalLog : IRetainedLog, IDisposable
{
    private const string TopicsFolder = "topics", GroupsFolder = "groups", LockName = "lock";
    private const long SummariseGroupsAfterBytes = 1 << 20;
    private const int FewProcessors = 2;

    private readonly string _folder;
    private readonly LogRuntime _runtime;
    private readonly IDisposable _lock;
    private readonly Partition _journal;
    private readonly GroupOffsets _groups;
    private readonly Lock _making = new();
    private readonly CancellationTokenSource _stopped = new();
    private volatile Dictionary<string, Topic> _topics = [];
    private int _disposed;

    private LocalLog(string folder, LogRuntime runtime, IDisposable folderLock)
    {
        _folder = folder;
        _runtime = runtime;
        _lock = folderLock;
        _journal = OpenJournal();
        _groups = new GroupOffsets(_journal, runtime, SummariseGroupsAfterBytes);
    }

    /// <summary>
    /// Opens the log in the folder, which is made when it is missing, and puts in order what a crash left. LOG-0001
    /// when another process has it open; LOG-0002 when stored bytes are damaged.
    /// </summary>
    public static LocalLog Open(
        string folder, EventLogOptions? options = null, TimeProvider? time = null, ILoggerFactory? loggers = null) =>
        Open(new HostDisk(), Path.GetFullPath(folder), options ?? new EventLogOptions(), time ?? TimeProvider.System,
            (loggers ?? NullLoggerFactory.Instance).CreateLogger<LocalLog>(),
            answersBeside: Environment.ProcessorCount > FewProcessors);

    internal static LocalLog Open(
        ILogDisk disk, string folder, EventLogOptions options, TimeProvider time, ILogger log,
        bool answersBeside = false)
    {
        var startedAt = time.GetTimestamp();
        LogRuntime.MakeFolder(disk, folder);
        var folderLock = disk.Lock(Path.Combine(folder, LockName));
        var metrics = new EventLogMetrics();
        try
        {
            var writeAhead = new WriteAheadLog(disk, folder, options, time, log, metrics);
            writeAhead.Replay();
            var runtime = new LogRuntime(disk, options, time, log, metrics,
                new WriterThreads(options.WriterThreads, answersBeside, writeAhead), writeAhead,
                new DiskGuard(disk, folder, options.FreeBytesMin, time, log));
            var opened = new LocalLog(folder, runtime, folderLock);
            opened._groups.Load();
            opened.OpenTopics();
            log.LogOpened(folder, opened._topics.Count, (long)time.GetElapsedTime(startedAt).TotalMilliseconds);
            return opened;
        }
        catch
        {
            metrics.Dispose();
            folderLock.Dispose();
            throw;
        }
    }

    public ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default) =>
        ct.IsCancellationRequested ? ValueTask.FromCanceled<OffsetRange>(ct)
        : Refusal(partition, records) is { } refusal ? ValueTask.FromException<OffsetRange>(refusal)
        : Find(partition).AppendAsync(records, ct);

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        if (Refusal(partition, records) is { } refusal) return refusal;
        Find(partition).Append(records, owner);
        return null;
    }

    public IPartitionReader OpenReader(TopicPartition partition, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new PartitionReader(Find(partition), offset, _runtime);
    }

    public ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
        new(Find(partition).Range());

    public ValueTask<long> OffsetAtAsync(TopicPartition partition, long timestampMs, CancellationToken ct = default) =>
        new(Find(partition).OffsetAt(timestampMs));

    public ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default)
    {
        try
        {
            return new ValueTask<long>(Find(partition).Trim(beforeOffset));
        }
        catch (IOException e)
        {
            return ValueTask.FromException<long>(Failed(partition, e));
        }
    }

    public ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        Find(partition);
        return _groups.CommitAsync(group, partition, nextOffset, metadata, ct);
    }

    public ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default) => new(_groups.Find(group, partition));

    public ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default) => new(_groups.Names());

    public ValueTask<IReadOnlyList<GroupTopic>> GroupTopicsAsync(CancellationToken ct = default) =>
        new(_groups.Topics());

    public ValueTask ForgetGroupAsync(string group, CancellationToken ct = default) =>
        _groups.ForgetAsync(group, topic: null, ct);

    public ValueTask ForgetTopicAsync(string group, string topic, CancellationToken ct = default) =>
        _groups.ForgetAsync(group, topic, ct);

    /// <summary>One process has the log, so that it has every partition, from the beginning to the end.</summary>
    public async IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var info = FindTopic(topic) ?? throw EventLogErrors.NotFound.With(topic).AsException();
        var all = Enumerable.Range(0, info.Partitions).Select(number => new TopicPartition(topic, number)).ToArray();
        yield return new AssignmentChange(AssignmentKind.Assigned, all, () => { });
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, _stopped.Token);
        await Task.Delay(Timeout.InfiniteTimeSpan, _runtime.Time, either.Token).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _stopped.CancelAsync().ConfigureAwait(false);
        foreach (var partition in _topics.Values.SelectMany(topic => topic.Partitions))
            await partition.CloseAsync().ConfigureAwait(false);
        await _journal.CloseAsync().ConfigureAwait(false);
        _runtime.Threads.Dispose();
        _runtime.WriteAhead.Close();
        _runtime.Metrics.Dispose();
        _lock.Dispose();
        _stopped.Dispose();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    EventLogMetrics IRetainedLog.Metrics => _runtime.Metrics;

    public long RecordBytesMax => _runtime.Options.AppendBytesMax.Bytes;

    IReadOnlyList<string> IRetainedLog.OwnTopics => Topics;

    ValueTask<IReadOnlyList<GroupPosition>> IRetainedLog.GroupsOfAsync(
        TopicPartition partition, CancellationToken ct) => new(_groups.Of(partition));

    ValueTask<IReadOnlyList<SegmentSize>> IRetainedLog.SizesOfAsync(TopicPartition partition, CancellationToken ct) =>
        new(SizesOf(partition));

    internal IReadOnlyList<SegmentSize> SizesOf(TopicPartition partition) => Find(partition).Sizes();

    private MillraceException? Refusal(TopicPartition partition, RecordBatchBuilder records)
    {
        if (records.ByteCount > _runtime.Options.AppendBytesMax.Bytes)
            return Refused(partition, "too-large", EventLogErrors.AppendTooLarge.With($"{records.ByteCount} bytes"));
        return _runtime.Guard.Refusal(records.ByteCount) is { } full ? Refused(partition, "disk-guard", full) : null;
    }

    private MillraceException Refused(TopicPartition partition, string reason, Error error)
    {
        _runtime.Metrics.Refusals.Add(1, EventLogMetrics.Topic(partition.Topic), EventLogMetrics.Reason(reason));
        return error.AsException();
    }

    private static MillraceException Failed(object subject, IOException cause)
    {
        var error = cause is DiskFullException ? EventLogErrors.DiskFull : EventLogErrors.DiskFailed;
        return error.With(subject, cause.Message).AsException(cause);
    }

    private Partition Find(TopicPartition id)
    {
        if (_topics.TryGetValue(id.Topic, out var topic) && (uint)id.Partition < (uint)topic.Partitions.Length)
            return topic.Partitions[id.Partition];
        throw EventLogErrors.NotFound.With(id).AsException();
    }
}
