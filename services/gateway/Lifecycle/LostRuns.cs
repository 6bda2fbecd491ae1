using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Lifecycle;

/// <summary>
/// Tells of the devices of a gateway that ended without a word that they are disconnected. Which they are the device
/// states say, once they hold everything that the gateway may have told; a run is over when none of its is connected.
/// Told twice is told once: a device that has connected again has another connection.
/// </summary>
internal sealed class LostRuns(
    IEventLog log, ISessionStore sessions, IDeviceStateStore states, LifecycleWriter lifecycle, GatewayRun run,
    IOptions<GatewayOptions> options, TimeProvider time, ILogger<LostRuns> logger)
{
    public const string Reason = "gateway-lost";

    /// <summary>Where the lifecycle topic ended when the run was found, or was last told of.</summary>
    private readonly Dictionary<string, long[]> _ends = [];

    public async ValueTask LookAsync(CancellationToken ct)
    {
        var (own, heardSince) = (run.Id, time.GetUtcNow() - options.Value.Sessions.NodeTimeout);
        var lost = await sessions.ListLostRunsAsync(own, heardSince, ct).ConfigureAwait(false);

        // Another of this gateway may have begun meanwhile, which that list would name as well.
        if (own != run.Id) return;
        foreach (var gone in _ends.Keys.Except(lost).ToArray()) _ends.Remove(gone);
        foreach (var one in lost) await LookAsync(one, ct).ConfigureAwait(false);
    }

    private async ValueTask LookAsync(string lost, CancellationToken ct)
    {
        if (!_ends.TryGetValue(lost, out var ends)) _ends[lost] = ends = await EndsAsync(ct).ConfigureAwait(false);
        if (!await HoldAsync(ends, ct).ConfigureAwait(false)) return;
        var told = 0;
        var connections = states.OpenConnectionsAsync(GatewayRun.ConnectionIdPrefix(lost), ct);
        await foreach (var connection in connections.ConfigureAwait(false))
        {
            await lifecycle.WriteAsync(new LifecycleEvent(LifecycleKind.Disconnected, connection.DeviceId,
                time.GetUtcNow(), Reason, connection.ConnectionId, connection.ConnectedAt)).ConfigureAwait(false);
            told++;
        }

        _ends.Remove(lost);
        if (told == 0) await sessions.EndRunAsync(lost, ct).ConfigureAwait(false);
        else logger.ConnectionsLost(told, lost);
    }

    private async ValueTask<long[]> EndsAsync(CancellationToken ct)
    {
        var ends = new long[log.FindTopic(Contracts.Topics.Lifecycle)?.Partitions ?? 0];
        for (var p = 0; p < ends.Length; p++)
            ends[p] = (await log.RangeAsync(Partition(p), ct).ConfigureAwait(false)).Next;
        return ends;
    }

    /// <summary>Whether the device states are as far as that.</summary>
    private async ValueTask<bool> HoldAsync(long[] ends, CancellationToken ct)
    {
        for (var p = 0; p < ends.Length; p++)
        {
            if (ends[p] == 0) continue;
            var position = await states.PositionAsync(Partition(p), ct).ConfigureAwait(false);
            if (position is null || position.NextOffset < ends[p]) return false;
        }

        return true;
    }

    private static TopicPartition Partition(int number) => new(Contracts.Topics.Lifecycle, number);
}
