using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Lets go of the places of outputs that are not configured any more, so that retention does not wait for them. An
/// output that is configured again begins as a new one does.
/// </summary>
internal static class ForgottenOutputs
{
    /// <summary>Bridges that are gone, or bring nothing out.</summary>
    public static async ValueTask ForgetBridgesAsync(
        IEventLog log, IEnumerable<BridgeOptions> bridges, CancellationToken ct)
    {
        var alive = bridges.Where(each => each.Outputs.Count > 0).Select(each => ConsumerGroups.OfBridge(each.Name))
            .ToHashSet();
        foreach (var group in await log.GroupsAsync(ct).ConfigureAwait(false))
        {
            if (ConsumerGroups.IsBridge(group) && !alive.Contains(group))
                await log.ForgetGroupAsync(group, ct).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Outputs that a bridge has no more while it has others. Their places cannot be forgotten alone: they go with the
    /// end of the log instead, from time to time.
    /// </summary>
    public static async ValueTask MoveOnAsync(IEventLog log, BridgeOptions bridge, CancellationToken ct)
    {
        var group = ConsumerGroups.OfBridge(bridge.Name);
        foreach (var topic in log.Topics.Where(name => bridge.Outputs.All(output => output.From != name)))
        {
            for (var number = 0; number < log.FindTopic(topic)!.Partitions; number++)
            {
                var partition = new TopicPartition(topic, number);
                var place = await log.CommittedAsync(group, partition, ct).ConfigureAwait(false);
                if (place is null) continue;
                var end = (await log.RangeAsync(partition, ct).ConfigureAwait(false)).Next;
                if (place.NextOffset < end) await log.CommitAsync(group, partition, end, ct: ct).ConfigureAwait(false);
            }
        }
    }
}
