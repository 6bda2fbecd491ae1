using Confluent.Kafka;

namespace Millrace.Benchmarks.Kafka;

/// <summary>Confluent.Kafka as its pages show it, with the settings of ours.</summary>
internal static class ConfluentClient
{
    public static readonly byte[] Body =
        [.. Enumerable.Range(0, KafkaBenchmark.BodyBytes).Select(i => (byte)('a' + i % 26))];

    public static async Task<Turn?> ProduceAsync(string servers, string topic, int records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            Acks = Acks.All,
            EnableIdempotence = true,
            CompressionType = CompressionType.Lz4,
            LingerMs = 0,
            QueueBufferingMaxMessages = 1_000_000,
        }).Build();
        // Not on the thread that delivers: the producer's end waits for that.
        var (open, done) = (records, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        void Delivered(DeliveryReport<byte[], byte[]> report)
        {
            if (Interlocked.Decrement(ref open) == 0) done.SetResult();
        }

        return await KafkaBenchmark.MeasureAsync(records, async () =>
        {
            for (var i = 0; i < records; i++)
            {
                var message = new Message<byte[], byte[]>
                {
                    Key = "00000001"u8.ToArray(),
                    Value = Body,
                    Headers = new Headers
                    {
                        { "content-type", "application/json"u8.ToArray() }, { "auth-method", "sas"u8.ToArray() },
                    },
                };
                producer.Produce(new TopicPartition(topic, i % KafkaBenchmark.Partitions), message, Delivered);
            }

            await done.Task;
        });
    }

    public static async Task<Turn?> ConsumeAsync(string servers, string topic, int records)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "bench",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            CheckCrcs = true,
        }).Build();
        return await KafkaBenchmark.MeasureAsync(records, () => Task.Run(() =>
        {
            consumer.Assign(Enumerable.Range(0, KafkaBenchmark.Partitions)
                .Select(p => new TopicPartitionOffset(topic, p, 0)));
            for (var read = 0; read < records; read++)
            {
                var result = consumer.Consume();
                if (result.Message.Headers.Count > 2) throw new InvalidOperationException("Records of others.");
            }
        }));
    }
}
