using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Lifecycle;

/// <summary>
/// Ends a connection whose device has connected to another gateway under the same client id (MQTT 5 §3.1.4). Which of
/// the two is the newer one the lifecycle topic tells, and no clock.
/// </summary>
internal sealed class PeerWatch(
    IEventLog log, ConnectionTable connections, IOptions<EventLogOptions> options, TimeProvider time,
    ILogger<PeerWatch> logger)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the token is cancelled; at once where no other gateway can be.</summary>
    public Task RunAsync(CancellationToken stop)
    {
        if (options.Value.Kind == EventLogKind.Local) return Task.CompletedTask;
        var partitions = log.FindTopic(Contracts.Topics.Lifecycle)?.Partitions ?? 0;
        return Task.WhenAll(Enumerable.Range(0, partitions)
            .Select(p => FollowAsync(new TopicPartition(Contracts.Topics.Lifecycle, p), stop)));
    }

    private async Task FollowAsync(TopicPartition partition, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var end = (await log.RangeAsync(partition, stop).ConfigureAwait(false)).Next;
                await using var reader = log.OpenReader(partition, end);
                while (true) Look(await reader.ReadAsync(ct: stop).ConfigureAwait(false));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                logger.PeersUnknown(partition.ToString(), failure);
                await Task.Delay(RetryPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Look(RecordBatch batch)
    {
        foreach (var record in batch)
        {
            try
            {
                var happened = JsonSerializer.Deserialize(record.Value, ContractJson.Default.LifecycleEvent);
                if (happened is { Kind: LifecycleKind.Connected, ClientId: not null }) Look(happened);
            }
            catch (JsonException)
            {
                // The device-state writer makes a dead letter of it.
            }
        }
    }

    private void Look(LifecycleEvent connected)
    {
        foreach (var connection in connections.OfDevice(connected.DeviceId))
        {
            if (connection.ClientId != connected.ClientId) continue;
            if (connection.ConnectionId == connected.ConnectionId) connection.IsInLog = true;
            else if (connection.IsInLog) connection.TryEnd(ConnectionEnd.TakenOver);
        }
    }
}
