using System.ComponentModel.DataAnnotations;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// How missing topics are made; section EventLog:Kafka:Topics. Of a topic that exists already, the differences are
/// logged and left as they are. Their number of partitions is EventLog:Partitions.
/// </summary>
public sealed class KafkaTopicOptions
{
    /// <summary>Brokers that keep each record.</summary>
    [Range(1, 32)]
    public int ReplicationFactor { get; set; } = 3;

    /// <summary>Brokers that must have a record before it is acknowledged; with fewer, appends wait.</summary>
    [Range(1, 32)]
    public int InSyncReplicasMin { get; set; } = 2;
}
