using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Brings messages to devices from the event log: into the sessions that are kept, and to connections whose session is
/// not. Its position moves when the stores have what was before it; what is read twice is queued once.
/// </summary>
internal sealed class DeviceMessageReader(
    IEventLog log, MessageDelivery delivery, TimeProvider time, ILogger<DeviceMessageReader> logger)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    public Task RunAsync(CancellationToken stop)
    {
        var topic = log.FindTopic(Contracts.Topics.DeviceMessages)
            ?? throw EventLogErrors.NotFound.With(Contracts.Topics.DeviceMessages).AsException();
        return Task.WhenAll(Enumerable.Range(0, topic.Partitions)
            .Select(p => ReadAsync(new TopicPartition(topic.Name, p), stop)));
    }

    private async Task ReadAsync(TopicPartition partition, CancellationToken stop)
    {
        var place = new Place();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ReadOnAsync(partition, place, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                logger.DeliveryFails(partition.ToString(), failure);
                await PauseAsync(stop).ConfigureAwait(false);
            }
        }
    }

    private async Task ReadOnAsync(TopicPartition partition, Place place, CancellationToken stop)
    {
        if (place.IsAhead) await CommitAsync(partition, place, stop).ConfigureAwait(false);
        var range = await log.RangeAsync(partition, stop).ConfigureAwait(false);
        if (place.Next < 0)
        {
            var committed = await log.CommittedAsync(ConsumerGroups.GatewayDelivery, partition, stop)
                .ConfigureAwait(false);
            place.Next = committed?.NextOffset ?? 0;
        }

        await using var reader = log.OpenReader(partition, Math.Max(place.Next, range.First));
        while (true)
        {
            var batch = await reader.ReadAsync(ct: stop).ConfigureAwait(false);
            await delivery.DeliverAsync(MessagesOf(batch), stop).ConfigureAwait(false);
            (place.Next, place.IsAhead) = (batch.NextOffset, true);
            await CommitAsync(partition, place, stop).ConfigureAwait(false);
        }
    }

    private async ValueTask CommitAsync(TopicPartition partition, Place place, CancellationToken stop)
    {
        await log.CommitAsync(ConsumerGroups.GatewayDelivery, partition, place.Next, ct: stop).ConfigureAwait(false);
        place.IsAhead = false;
    }

    private List<DeviceMessage> MessagesOf(RecordBatch batch)
    {
        var messages = new List<DeviceMessage>(batch.Count);
        foreach (var record in batch)
        {
            if (DeviceMessage.Read(record, batch.Partition) is { } message) messages.Add(message);
            else
            {
                delivery.Lost("message-invalid");
                logger.DeviceMessageInvalid(batch.Partition.ToString(), record.Offset);
            }
        }

        return messages;
    }

    private async ValueTask PauseAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(RetryPause, time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    /// <summary>How far a partition is delivered, whatever fails: nothing in memory is handed out twice.</summary>
    private sealed class Place
    {
        /// <summary>Below 0 before it is known where to begin.</summary>
        public long Next { get; set; } = -1;

        /// <summary>Of what is committed.</summary>
        public bool IsAhead { get; set; }
    }
}
