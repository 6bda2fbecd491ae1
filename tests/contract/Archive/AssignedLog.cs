using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Contract.Tests.Archive;

/// <summary>
/// A log as a process sees it that works on these partitions of telemetry, whoever else does: one that has not heard
/// that they were taken over.
/// </summary>
internal sealed class AssignedLog(IEventLog inner, params int[] partitions) : IEventLog
{
    public IReadOnlyList<string> Topics => inner.Topics;

    public async IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var mine = topic == Contracts.Topics.Telemetry
            ? partitions
            : Enumerable.Range(0, FindTopic(topic)!.Partitions);
        yield return new AssignmentChange(
            AssignmentKind.Assigned, [.. mine.Select(number => new TopicPartition(topic, number))], () => { });
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
    }

    public ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default) =>
        inner.EnsureTopicAsync(spec, ct);

    public TopicInfo? FindTopic(string name) => inner.FindTopic(name);

    public ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default) =>
        inner.AppendAsync(partition, records, ct);

    public IPartitionReader OpenReader(TopicPartition partition, long offset) => inner.OpenReader(partition, offset);

    public ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default) =>
        inner.RangeAsync(partition, ct);

    public ValueTask<long> OffsetAtAsync(
        TopicPartition partition, long timestampMs, CancellationToken ct = default) =>
        inner.OffsetAtAsync(partition, timestampMs, ct);

    public ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default) => inner.CommitAsync(group, partition, nextOffset, metadata, ct);

    public ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct = default) =>
        inner.CommittedAsync(group, partition, ct);

    public ValueTask<IReadOnlyList<string>> GroupsAsync(CancellationToken ct = default) => inner.GroupsAsync(ct);

    public ValueTask ForgetGroupAsync(string group, CancellationToken ct = default) =>
        inner.ForgetGroupAsync(group, ct);

    public ValueTask<long> TrimAsync(TopicPartition partition, long beforeOffset, CancellationToken ct = default) =>
        inner.TrimAsync(partition, beforeOffset, ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
