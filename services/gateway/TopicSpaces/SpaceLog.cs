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
    GatewayMetrics metrics, TimeProvider time, ILogger<SpaceLog> logger)
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
                new TopicPartition(name, p), log, options.Value.PartitionBufferBytesMax.Bytes, time, metrics, logger))];
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
            var receipt = new Receipt(Of(topic.Key, source), [.. topic]);
            while (!TryEncode(receipt, source, isWill)) await receipt.Room.WaitAsync().ConfigureAwait(false);
            var outcome = await receipt.Outcome.ConfigureAwait(false);
            if (outcome != SpaceOutcome.Done) return outcome;
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
    private bool TryEncode(Receipt receipt, TelemetrySource source, bool isWill)
    {
        var partition = receipt.Partition;
        partition.Enter();
        var before = receipt.Encoded;
        while (!receipt.HasFailed && receipt.Encoded < receipt.Messages.Count && !partition.IsFull)
        {
            var message = receipt.Messages[receipt.Encoded++];
            var target = new MessageTarget { Source = source, FreeTopic = message.Topic };
            TelemetryEncoder.Encode(
                partition.Records, partition.TimestampMs, target, message.ToPacket(), int.MaxValue, isWill);
        }

        var count = receipt.Encoded - before;
        if (receipt.HasFailed || receipt.Encoded == receipt.Messages.Count)
        {
            partition.Exit(receipt, count, receipt.Encoded - 1);
            return true;
        }

        partition.ExitToWait(receipt, count, receipt.Encoded - 1);
        return false;
    }

    /// <summary>Waits for the messages of one publish in one partition.</summary>
    private sealed class Receipt(PartitionPublisher partition, IReadOnlyList<SpacePublish> messages) : IPublishOwner
    {
        private readonly TaskCompletionSource<SpaceOutcome> _outcome =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        private volatile bool _hasFailed;

        public PartitionPublisher Partition => partition;

        public IReadOnlyList<SpacePublish> Messages => messages;

        public AutoSignal Room { get; } = new();

        public int Encoded { get; set; }

        public bool HasFailed => _hasFailed;

        public Task<SpaceOutcome> Outcome => _outcome.Task;

        public void OnDurable(int partition, long lastNumber, long nextOffset)
        {
            if (lastNumber == messages.Count - 1) _outcome.TrySetResult(SpaceOutcome.Done);
        }

        public void StopPublishing() => _hasFailed = true;

        public void OnLogFailed(int partition, bool full)
        {
            _outcome.TrySetResult(full ? SpaceOutcome.LogFull : SpaceOutcome.LogFailed);
            Room.Call();
        }

        public void OnRoom() => Room.Call();
    }
}
