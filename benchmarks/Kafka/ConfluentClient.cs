using Confluent.Kafka;
using Millrace.EventLog.Kafka;

namespace Millrace.Benchmarks.Kafka;

/// <summary>Confluent.Kafka as its pages show it, with the settings of ours.</summary>
internal static class ConfluentClient
{
    public static readonly byte[] Body =
        [.. Enumerable.Range(0, KafkaBenchmark.BodyBytes).Select(i => (byte)('a' + i % 26))];

    /// <summary>All at once, as fast as the library takes them.</summary>
    public static async Task<Turn?> ProduceAsync(string servers, string topic, int records)
    {
        using var producer = Producer(servers);
        return await KafkaBenchmark.MeasureAsync(records, () => SendAsync(producer, topic, 0, records));
    }

    /// <summary>As ours: so many appenders, each of which sends some and waits for their acknowledgement.</summary>
    public static async Task<Turn?> ProduceAsync(string servers, string topic, int records, int appenders, int each)
    {
        using var producer = Producer(servers);
        return await KafkaBenchmark.MeasureAsync(records, () => Task.WhenAll(
            Enumerable.Range(0, appenders).Select(number => Task.Run(async () =>
            {
                for (var i = 0; i < records / appenders / each; i++) await SendAsync(producer, topic, number, each);
            }))));
    }

    private static IProducer<byte[], byte[]> Producer(string servers) =>
        new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            Acks = Acks.All,
            EnableIdempotence = true,
            CompressionType = CompressionType.Lz4,
            LingerMs = new KafkaProducerOptions().Linger.TotalMilliseconds,
            QueueBufferingMaxMessages = 1_000_000,
        }).Build();

    private static Task SendAsync(IProducer<byte[], byte[]> producer, string topic, int partition, int records)
    {
        // Not on the thread that delivers: the producer's end waits for that.
        var (open, done) = (records, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        void Delivered(DeliveryReport<byte[], byte[]> report)
        {
            if (Interlocked.Decrement(ref open) == 0) done.SetResult();
        }

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
            producer.Produce(new TopicPartition(topic, (partition + i / 16) % KafkaBenchmark.Partitions), message,
                Delivered);
        }

        return done.Task;
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
