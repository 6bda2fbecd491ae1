using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>
/// The local log behind a gate: telemetry can be made to wait, or to fail, before it reaches the disk.
/// </summary>
internal sealed class GatedLog(LocalLog log) : IEventLog
{
    private volatile TaskCompletionSource _gate = Opened();
    private volatile bool _isFull;
    private volatile bool _refusesLifecycle;

    public IReadOnlyList<string> Topics => log.Topics;

    public void Shut() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.TrySetResult();

    /// <summary>From now on telemetry is refused as on a full disk, or not any more.</summary>
    public void Fill(bool full) => _isFull = full;

    /// <summary>From now on the lifecycle topic takes nothing, or takes records again.</summary>
    public void RefuseLifecycle(bool refuse) => _refusesLifecycle = refuse;

    public async ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
    {
        if (partition.Topic == Contracts.Topics.Lifecycle && _refusesLifecycle)
            throw EventLogErrors.DiskFull.With("test").AsException();
        if (partition.Topic != Contracts.Topics.Telemetry) return await log.AppendAsync(partition, records, ct);
        await _gate.Task;
        if (_isFull) throw EventLogErrors.DiskFull.With("test").AsException();
        return await log.AppendAsync(partition, records, ct);
    }

    public ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default) =>
        log.EnsureTopicAsync(spec, ct);

    public TopicInfo? FindTopic(string name) => log.FindTopic(name);

    public IPartitionReader OpenReader(TopicPartition partition, long offset) => log.OpenReader(partition, offset);

    public ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
        log.RangeAsync(partition, ct);

    public ValueTask<long> OffsetAtAsync(TopicPartition partition, long timestampMs, CancellationToken ct = default) =>
        log.OffsetAtAsync(partition, timestampMs, ct);

    public ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default) =>
        log.CommitAsync(group, partition, nextOffset, metadata, ct);

    public ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default) =>
        log.CommittedAsync(group, partition, ct);

    public IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, CancellationToken ct = default) =>
        log.WatchAssignmentAsync(group, topic, ct);

    public ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default) =>
        log.TrimAsync(partition, beforeOffset, ct);

    public ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default) => log.GroupsAsync(ct);

    public ValueTask ForgetGroupAsync(string group, CancellationToken ct = default) =>
        log.ForgetGroupAsync(group, ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}
