using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Bridges;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Lets go of the places of outputs that no gateway has any more, so that retention does not wait for them. What others
/// have stands in their statuses: an output is gone when none has named it for <see cref="HeardFor"/>. One that is
/// configured again later begins as a new one does.
/// </summary>
/// <param name="bridges">This gateway's own.</param>
internal sealed class ForgottenOutputs(
    IEventLog log, IBridgeStore store, IReadOnlyCollection<BridgeOptions> bridges, TimeProvider time, ILogger logger)
{
    /// <summary>A gateway that is away for less finds its places as they were.</summary>
    public static readonly TimeSpan HeardFor = TimeSpan.FromDays(1);

    private static readonly TimeSpan LookInterval = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stop).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (!stop.IsCancellationRequested) logger.ForgettingFails(failure);
            }

            await Task.Delay(LookInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask LookAsync(CancellationToken ct)
    {
        var heard = await store.ListStatusAsync(time.GetUtcNow() - HeardFor, ct).ConfigureAwait(false);
        var others = heard.Where(status => !bridges.Any(own => IsOf(own, status))).ToList();
        foreach (var group in await log.GroupsAsync(ct).ConfigureAwait(false))
        {
            if (!ConsumerGroups.IsBridge(group)) continue;
            var theirs = others.FindAll(status => ConsumerGroups.OfBridge(status.Name) == group);
            if (theirs.Exists(status => status.Outputs is null)) continue;
            var outputs = bridges.Where(own => ConsumerGroups.OfBridge(own.Name) == group)
                .SelectMany(own => own.Outputs.Select(output => output.From))
                .Concat(theirs.SelectMany(status => status.Outputs!)).ToHashSet();
            if (outputs.Count == 0) await log.ForgetGroupAsync(group, ct).ConfigureAwait(false);
            else await MoveOnAsync(group, outputs, ct).ConfigureAwait(false);
        }
    }

    /// <summary>What this gateway said itself, perhaps before it was configured otherwise.</summary>
    private static bool IsOf(BridgeOptions own, BridgeStatus status) =>
        own.Name == status.Name && own.ClientIdOrDefault == status.ClientId;

    /// <summary>
    /// Outputs that a bridge has no more while it has others. Their places cannot be forgotten alone: they go with the
    /// end of the log instead, from time to time.
    /// </summary>
    private async ValueTask MoveOnAsync(string group, HashSet<string> outputs, CancellationToken ct)
    {
        foreach (var topic in log.Topics.Where(name => !outputs.Contains(name)))
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
