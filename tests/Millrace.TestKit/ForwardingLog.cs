using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.TestKit;

/// <summary>
/// Another's log, for one that does something of it differently. What is appended for an owner goes through AppendAsync
/// too. The log is not disposed of with it.
/// </summary>
public abstract class ForwardingLog(IEventLog inner) : IEventLog
{
    protected IEventLog Inner { get; } = inner;

    public IReadOnlyList<string> Topics => Inner.Topics;

    public virtual ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default) =>
        Inner.EnsureTopicAsync(spec, ct);

    public TopicInfo? FindTopic(string name) => Inner.FindTopic(name);

    public virtual ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default) =>
        Inner.AppendAsync(partition, records, ct);

    public long RecordBytesMax => Inner.RecordBytesMax;

    public TimeSpan OldestAppend => Inner.OldestAppend;

    public virtual bool RefusesAhead(string topic) => Inner.RefusesAhead(topic);

    public virtual IPartitionReader OpenReader(TopicPartition partition, long offset) =>
        Inner.OpenReader(partition, offset);

    public virtual ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
        Inner.RangeAsync(partition, ct);

    public virtual ValueTask<OffsetRange> SettledRangeAsync(
        TopicPartition partition, CancellationToken ct = default) => Inner.SettledRangeAsync(partition, ct);

    public ValueTask<long> OffsetAtAsync(TopicPartition partition, long timestampMs, CancellationToken ct = default) =>
        Inner.OffsetAtAsync(partition, timestampMs, ct);

    public virtual ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default) => Inner.CommitAsync(group, partition, nextOffset, metadata, ct);

    public ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default) =>
        Inner.CommittedAsync(group, partition, ct);

    public ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default) => Inner.GroupsAsync(ct);

    public ValueTask<IReadOnlyList<GroupTopic>> GroupTopicsAsync(CancellationToken ct = default) =>
        Inner.GroupTopicsAsync(ct);

    public ValueTask ForgetGroupAsync(string group, CancellationToken ct = default) =>
        Inner.ForgetGroupAsync(group, ct);

    public ValueTask ForgetTopicAsync(string group, string topic, CancellationToken ct = default) =>
        Inner.ForgetTopicAsync(group, topic, ct);

    public virtual IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, CancellationToken ct = default) => Inner.WatchAssignmentAsync(group, topic, ct);

    public ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default) =>
        Inner.TrimAsync(partition, beforeOffset, ct);

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
