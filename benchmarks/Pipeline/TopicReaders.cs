using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>Reads a topic to a number of records and does nothing with them.</summary>
internal sealed class TopicReaders(KafkaLogOptions options, string topic, int partitions, long events)
{
    private const int MessagesMax = 512, PollMs = 100;

    private string Named => options.Prefix + topic;

    /// <summary>Confluent.Kafka's consumer, with the platform's settings.</summary>
    public void Confluent()
    {
        var settings = new Dictionary<string, string>(KafkaSettings.Reader(options)) { ["group.id"] = "bench" };
        using var consumer = new ConsumerBuilder<byte[], byte[]>(settings).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(p => new TopicPartitionOffset(Named, p, 0)));
        for (var left = events; left > 0;)
        {
            if (!consumer.Consume().IsPartitionEOF) left--;
        }
    }

    /// <summary>The library beneath it, in batches: what it takes whoever calls it.</summary>
    public unsafe void Library()
    {
        using var client = new NativeClient(ClientKind.Consumer, KafkaSettings.Reader(options), NullLogger.Instance);
        var queue = Rdkafka.QueueNew(client.Handle);
        for (var p = 0; p < partitions; p++) _ = Rdkafka.ConsumeStart(client.Topic(Named), p, 0, queue);
        var messages = stackalloc NativeMessage*[MessagesMax];
        for (var left = events; left > 0;)
        {
            var got = Rdkafka.ConsumeBatch(queue, PollMs, messages, MessagesMax);
            for (var i = 0; i < got; i++)
            {
                if (messages[i]->Error == 0) left--;
                Rdkafka.MessageDestroy(messages[i]);
            }
        }

        for (var p = 0; p < partitions; p++) _ = Rdkafka.ConsumeStop(client.Topic(Named), p);
        Rdkafka.QueueDestroy(queue);
    }

    /// <summary>The platform's readers, one a partition, as a query has them.</summary>
    public Task PlatformAsync(IEventLog log, int bytesMax) => Task.WhenAll(Enumerable.Range(0, partitions).Select(
        number => Task.Run(async () =>
        {
            var partition = new Contracts.TopicPartition(topic, number);
            var end = (await log.RangeAsync(partition)).Next;
            await using var reader = log.OpenReader(partition, 0);
            while (reader.Position < end) await reader.ReadAsync(bytesMax);
        })));
}
