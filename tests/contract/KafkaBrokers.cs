using Confluent.Kafka;
using Millrace.EventLog.Kafka;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests;

/// <summary>The brokers of this run: found when the first test asks for them, and ended after the last.</summary>
[SetUpFixture]
public sealed class KafkaBrokers
{
    private static readonly Lazy<Task<(KafkaServers? Servers, string Reason)>> Found =
        new(() => KafkaServers.FindAsync());

    public static KafkaServers? Servers => Found is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }
        ? Found.Value.Result.Servers
        : null;

    /// <summary>Options of a log of its own; the test is skipped when there are no brokers.</summary>
    public static async Task<KafkaLogOptions> OptionsAsync(string prefix)
    {
        var (servers, reason) = await Found.Value;
        if (servers is null) Assert.Ignore(reason);
        return new KafkaLogOptions
        {
            BootstrapServers = servers!.BootstrapServers,
            Prefix = prefix,
            Topics = new KafkaTopicOptions
            {
                ReplicationFactor = Math.Min(3, servers.Count),
                InSyncReplicasMin = Math.Min(2, servers.Count),
            },
        };
    }

    public static async Task DeleteTopicsAsync(string prefix)
    {
        if (Servers is not { } servers) return;
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = servers.BootstrapServers }).Build();
        var topics = admin.GetMetadata(TimeSpan.FromSeconds(60)).Topics.Select(topic => topic.Topic)
            .Where(topic => topic.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        if (topics.Count > 0) await admin.DeleteTopicsAsync(topics);
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (Servers is { } servers) await servers.DisposeAsync();
    }
}
