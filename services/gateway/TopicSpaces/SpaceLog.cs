using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Topics;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Brings the messages of spaces to the event log: to telemetry, or to topics of their own.</summary>
internal sealed class SpaceLog(
    IEventLog log, TopicSpaceTable table, TelemetryPublisher telemetry, IOptions<GatewayOptions> options,
    BatchLinger linger, SharedWork shared, GatewayMetrics metrics, TimeProvider time, ILogger<SpaceLog> logger)
{
    private readonly Dictionary<string, PartitionPublisher[]> _topics = [];

    public async ValueTask StartAsync(CancellationToken ct)
    {
        var names = table.Spaces.Select(space => space.EventLogTopic).OfType<string>().Distinct();
        foreach (var name in names.Where(name => name != Contracts.Topics.Telemetry))
        {
            var partitions = log.FindTopic(Contracts.Topics.Telemetry)!.Partitions;
            var topic = await log.EnsureTopicAsync(new TopicSpec(name, partitions), ct).ConfigureAwait(false);
            _topics[name] = [.. Enumerable.Range(0, topic.Partitions).Select(p => new PartitionPublisher(
                new TopicPartition(name, p), log, options.Value.PartitionBufferBytesMax.Bytes, linger, shared, time,
                metrics, logger))];
        }
    }

    /// <summary>Completes when all that was taken is durable or has failed.</summary>
    public Task StopAsync() =>
        Task.WhenAll(_topics.Values.SelectMany(each => each).Select(partition => partition.StopAsync()));

    /// <summary>
    /// Completes when the log has all messages of spaces that go there. Their properties were found to be within
    /// bounds.
    /// </summary>
    public async ValueTask<SpaceOutcome> AppendAsync(
        TelemetrySource source, IReadOnlyList<SpacePublish> messages, bool isWill)
    {
        foreach (var topic in messages.Where(each => each.Space.EventLogTopic is not null)
            .GroupBy(each => each.Space.EventLogTopic!))
        {
            var (partition, all, encoded) = (Of(topic.Key, source), topic.ToList(), 0);
            var receipt = new PublishReceipt(all.Count);
            while (!TryEncode(partition, all, ref encoded, receipt, source, isWill))
                await receipt.WaitForRoomAsync().ConfigureAwait(false);
            var isDurable = await receipt.Durable.ConfigureAwait(false);
            if (!isDurable) return receipt.IsLogFull ? SpaceOutcome.LogFull : SpaceOutcome.LogFailed;
        }

        return SpaceOutcome.Done;
    }

    private PartitionPublisher Of(string topic, TelemetrySource source)
    {
        if (topic == Contracts.Topics.Telemetry) return telemetry.Of(source.Partition);
        var partitions = _topics[topic];
        return partitions[Partitioner.PartitionOf(source.Key, partitions.Length)];
    }

    /// <summary>False: there is no room for more now.</summary>
    private bool TryEncode(
        PartitionPublisher partition, List<SpacePublish> messages, ref int encoded, PublishReceipt receipt,
        TelemetrySource source, bool isWill)
    {
        partition.Enter();
        var before = encoded;
        while (!receipt.HasFailed && encoded < messages.Count && !partition.IsFull)
        {
            var message = messages[encoded++];
            var target = new MessageTarget { Source = source, FreeTopic = message.Topic };
            TelemetryEncoder.Encode(
                partition.Records, partition.TimestampMs, target, message.ToPacket(), int.MaxValue, isWill);
        }

        var count = encoded - before;
        if (receipt.HasFailed || encoded == messages.Count)
        {
            partition.Exit(receipt, count, encoded - 1);
            return true;
        }

        partition.ExitToWait(receipt, count, encoded - 1);
        return false;
    }
}
