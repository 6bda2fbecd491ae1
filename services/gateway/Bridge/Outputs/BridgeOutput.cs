using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Link;
using Millrace.Primitives;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Brings one topic of the event log to the broker. Several gateways with a bridge of this name share its partitions.
/// </summary>
/// <param name="topicsMax">Topics that are remembered as refused, of each partition.</param>
internal sealed class BridgeOutput(
    BridgeOptions bridge, BridgeOutputOptions output, int topicsMax, BridgeLink link, IEventLog log,
    BridgeState state, TimeProvider time)
{
    private static readonly TimeSpan TopicPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<TopicPartition, (PartitionSender Sender, CancellationTokenSource Stop, Task Done)>
        _running = [];

    private readonly Lock _gate = new();

    public string From => output.From;

    public long InFlight => Senders().Sum(sender => sender.InFlight);

    /// <summary>Records that the broker has not acknowledged, of the partitions that are sent from here.</summary>
    public async ValueTask<long> LagAsync(CancellationToken ct)
    {
        var lag = 0L;
        foreach (var sender in Senders()) lag += await sender.LagAsync(ct).ConfigureAwait(false);
        return lag;
    }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            var isThere = log.FindTopic(output.From) is not null;
            while (log.FindTopic(output.From) is null)
                await Task.Delay(TopicPause, time, stop).ConfigureAwait(false);
            while (!stop.IsCancellationRequested) await FollowAsync(isThere, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }

    private async Task FollowAsync(bool fromEnd, CancellationToken stop)
    {
        try
        {
            await log.FollowAssignmentAsync(ConsumerGroups.OfBridge(bridge.Name), output.From, async change =>
            {
                if (change.Kind == AssignmentKind.Assigned) Assign(change.Partitions, fromEnd, stop);
                else await RevokeAsync(change.Partitions).ConfigureAwait(false);
            }, stop).ConfigureAwait(false);
        }
        catch (MillraceException failure)
        {
            state.Failed(failure.Error, failure);
            await Task.Delay(TopicPause, time, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Sends one record out of turn; why it cannot be, or null when the broker has it.</summary>
    public async ValueTask<string?> TrySendAgainAsync(RecordBatch record, CancellationToken ct)
    {
        BridgeClient client;
        try
        {
            client = await link.ClientAsync(ct).WaitAsync(bridge.ConnectTimeout, time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return "the broker is not connected";
        }

        var messages = new OutputMessages(bridge.Version, output, time);
        if (messages.MakeFirst(record, client.PacketBytesMax, out var refusal) is not { } message) return refusal;
        var publish = await client.SendAsync(message, ct).ConfigureAwait(false);
        var result = await publish.WaitAsync(ct).ConfigureAwait(false);
        if (!PublishRefusals.IsTaken(result.ReasonCode)) return $"{result.ReasonCode}";
        state.Sent();
        return null;
    }

    private void Assign(IReadOnlyList<TopicPartition> partitions, bool fromEnd, CancellationToken stop)
    {
        foreach (var partition in partitions)
        {
            var sender = new PartitionSender(
                bridge, output, topicsMax, partition, fromEnd, link, log, state, time);
            var scope = CancellationTokenSource.CreateLinkedTokenSource(stop);
            lock (_gate) _running.Add(partition, (sender, scope, Task.Run(() => sender.RunAsync(scope.Token), stop)));
        }
    }

    private async Task RevokeAsync(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (!_running.TryGetValue(partition, out var running)) continue;
            var (_, stop, done) = running;
            await stop.CancelAsync().ConfigureAwait(false);
            await done.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.Dispose();
            lock (_gate) _running.Remove(partition);
        }
    }

    private List<PartitionSender> Senders()
    {
        lock (_gate) return [.. _running.Values.Select(each => each.Sender)];
    }
}
