using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Gateway.Publishing;

/// <summary>The partitions of the telemetry topic, shared by all connections.</summary>
internal sealed class TelemetryPublisher(
    IEventLog log, IOptions<GatewayOptions> options, BatchLinger linger, SharedWork shared, TimeProvider time,
    GatewayMetrics metrics, ILogger<TelemetryPublisher> logger)
{
    private PartitionPublisher[] _partitions = [];

    public int Count => _partitions.Length;

    public PartitionPublisher Of(int partition) => _partitions[partition];

    public int PartitionOf(ReadOnlySpan<byte> deviceKey) => Partitioner.PartitionOf(deviceKey, _partitions.Length);

    public void Start()
    {
        var topic = log.FindTopic(Contracts.Topics.Telemetry)
            ?? throw EventLogErrors.NotFound.With(Contracts.Topics.Telemetry).AsException();
        _partitions = [.. Enumerable.Range(0, topic.Partitions).Select(Make)];
    }

    /// <summary>Completes when all that was taken is durable or has failed.</summary>
    public Task StopAsync() => Task.WhenAll(_partitions.Select(partition => partition.StopAsync()));

    private PartitionPublisher Make(int partition) => new(
        new TopicPartition(Contracts.Topics.Telemetry, partition), log, options.Value.PartitionBufferBytesMax.Bytes,
        linger, shared, time, metrics, logger);
}
