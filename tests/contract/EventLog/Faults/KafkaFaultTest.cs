using Confluent.Kafka;
using Millrace.EventLog.Kafka;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.EventLog.Faults;

/// <summary>What happens to three brokers that are the tests' own, and run again after each.</summary>
[Category("Faults")]
public abstract class KafkaFaultTest : KafkaTest
{
    protected static readonly TimeSpan Recovery = TimeSpan.FromMinutes(2);

    protected static KafkaServers Brokers => KafkaBrokers.Servers!;

    [SetUp]
    public void BrokersAreOurs()
    {
        if (!Brokers.AreOurs) Assert.Ignore("The brokers of KAFKA_BOOTSTRAP_SERVERS are not the tests' to break.");
        if (Brokers.Count < 3) Assert.Ignore("It takes three brokers.");
    }

    [TearDown]
    public async Task Heal()
    {
        if (Brokers.AreOurs) await Brokers.HealAsync();
    }

    /// <summary>The leader of each partition.</summary>
    protected async Task<List<int>> LeadersAsync(KafkaLog log, string topic)
    {
        var described = await log.Admin.Client.DescribeTopicsAsync(
            TopicCollection.OfTopicNames([Options.Prefix + topic]));
        return [.. described.TopicDescriptions[0].Partitions.Select(partition => partition.Leader.Id)];
    }

    /// <summary>One that has a copy of the partition, and does not lead it or the cluster.</summary>
    protected async Task<int> FollowerAsync(KafkaLog log, Contracts.TopicPartition partition)
    {
        var leader = (await LeadersAsync(log, partition.Topic))[partition.Partition];
        var controller = await Brokers.ControllerAsync();
        return Enumerable.Range(1, 3).First(broker => broker != leader && broker != controller);
    }
}
