using Millrace.Primitives;

namespace Millrace.EventLog.Kafka;

/// <summary>Errors of the event log on Kafka; each has a page of its code under docs/errors.</summary>
public static class KafkaLogErrors
{
    public static readonly ErrorDefinition ClusterFailed = new("LOG-0012",
        "The Kafka cluster did not do what it was asked.",
        "A broker did not answer in time, or refused.",
        "Check that EventLog:Kafka:BootstrapServers names brokers that run, and what they and this log say.");

    public static readonly ErrorDefinition TopicRefused = new("LOG-0013",
        "The Kafka cluster did not make a topic.",
        "It does not allow the topic's settings, or this process may not make topics.",
        "Set EventLog:Kafka:Topics to what the cluster can do, or make the topic with the cluster's own tools.");

    public static readonly ErrorDefinition SettingsRefused = new("LOG-0014",
        "The Kafka client does not take its settings.",
        "A file cannot be read, or a value does not fit what the client was built with.",
        "Mend the option of EventLog:Kafka that the message speaks of.");
}
