using Confluent.Kafka;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Three real brokers. Each test has topics and groups of its own, by their names.</summary>
public sealed class KafkaLogContractTests : EventLogContract
{
    private string _prefix = "";

    protected override async ValueTask<IEventLog> OpenAsync()
    {
        _prefix = $"t{Guid.NewGuid():N}.";
        return new KafkaLog(await KafkaBrokers.OptionsAsync(_prefix));
    }

    protected override void Clean()
    {
        if (KafkaBrokers.Servers is not { } servers) return;
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = servers.BootstrapServers }).Build();
        var topics = admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.Select(topic => topic.Topic)
            .Where(topic => topic.StartsWith(_prefix, StringComparison.Ordinal)).ToList();
        if (topics.Count > 0) admin.DeleteTopicsAsync(topics).GetAwaiter().GetResult();
    }
}
