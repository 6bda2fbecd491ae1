using Confluent.Kafka;
using Millrace.EventLog;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog.Faults;

/// <summary>What one process appended and died before it was on enough brokers, and another looks for.</summary>
public sealed class KafkaSettledFaultTests : KafkaFaultTest
{
    private static readonly TopicPartition Partition = new("telemetry", 0);

    [Test]
    public async Task A_settled_range_waits_for_what_only_the_leader_has()
    {
        var log = await OpenAsync(Partition.Topic);
        await AppendAsync(log, Partition, "all have it");
        await log.SettledRangeAsync(Partition).AsTask().WaitAsync(Recovery);
        var before = await log.RangeAsync(Partition);
        await Brokers.PauseAsync(await FollowerAsync(log, Partition));
        Task<OffsetRange> settled;
        long offset;
        try
        {
            // As a process does whose request came to the leader, and who did not live to see the answer.
            using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
            {
                BootstrapServers = Options.BootstrapServers,
                Acks = Acks.Leader,
            }).Build();
            var report = await producer.ProduceAsync(
                new Confluent.Kafka.TopicPartition(Options.Prefix + Partition.Topic, Partition.Partition),
                new Message<byte[], byte[]> { Key = "device"u8.ToArray(), Value = "one has it"u8.ToArray() });
            offset = report.Offset.Value;
            Assert.That(await log.RangeAsync(Partition), Is.EqualTo(before), "readers do not see it");
            settled = log.SettledRangeAsync(Partition).AsTask();
        }
        finally
        {
            await Brokers.HealAsync();
        }

        Assert.That((await settled.WaitAsync(Recovery)).Next, Is.GreaterThan(offset));
        var values = new List<string>();
        await using var reader = log.OpenReader(Partition, 0);
        while (await reader.TryReadAsync() is { } batch) Collect(batch, values);
        Assert.That(values, Is.EqualTo(new[] { "all have it", "one has it" }));
    }
}
