using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Archive;

/// <summary>
/// A log as a process sees it that works on these partitions of telemetry, whoever else does: one that has not heard
/// that they were taken over.
/// </summary>
internal sealed class AssignedLog(IEventLog inner, params int[] partitions) : ForwardingLog(inner)
{
    public override async IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var mine = topic == Contracts.Topics.Telemetry
            ? partitions
            : Enumerable.Range(0, FindTopic(topic)!.Partitions);
        yield return new AssignmentChange(
            AssignmentKind.Assigned, [.. mine.Select(number => new TopicPartition(topic, number))], () => { });
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
    }
}
