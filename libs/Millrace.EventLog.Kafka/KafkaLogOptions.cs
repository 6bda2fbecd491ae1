using System.ComponentModel.DataAnnotations;

namespace Millrace.EventLog.Kafka;

/// <summary>The event log on a Kafka cluster, for EventLog:Kind = Kafka. Section EventLog:Kafka.</summary>
public sealed class KafkaLogOptions
{
    /// <summary>Some brokers as host:port, with commas between them; the others are found through these.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The name under which the brokers know this process.</summary>
    [Required]
    public string ClientId { get; set; } = "millrace";

    /// <summary>Stands before the name of each topic and group, so that several hubs can share a cluster.</summary>
    [RegularExpression("[a-zA-Z0-9._-]{0,100}")]
    public string Prefix { get; set; } = "";

    /// <summary>How long a broker may take to answer, before it is asked again or another one is.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often topics that other processes made are looked for, and leaders of partitions.</summary>
    public TimeSpan MetadataInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long, when the process stops, appends that are on their way may take.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Encryption, and how this process shows who it is.</summary>
    public KafkaSecurityOptions Security { get; set; } = new();

    /// <summary>How missing topics are made.</summary>
    public KafkaTopicOptions Topics { get; set; } = new();

    /// <summary>How records are written.</summary>
    public KafkaProducerOptions Producer { get; set; } = new();

    /// <summary>How records are read, and partitions shared with other processes.</summary>
    public KafkaConsumerOptions Consumer { get; set; } = new();
}
