using System.Text;
using Confluent.Kafka;
using Millrace.Contracts;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Records of other producers that are no record here: they are read, say so, and hold up nothing.</summary>
public sealed class KafkaPoisonTests : KafkaTest
{
    private static readonly TopicPartition Partition = new("telemetry", 0);

    [Test]
    public async Task Headers_that_do_not_fit_are_cut_and_the_record_says_so()
    {
        var log = await OpenAsync("telemetry");
        var longName = new Headers { { new string('n', 70_000), [1] }, { "app.room", "hall"u8.ToArray() } };
        var many = new Headers();
        for (var n = 0; n < 70_000; n++) many.Add("h", []);
        var fits = new Headers { { new string('n', 65_535), [1] } };
        await ProduceAsync(longName);
        await ProduceAsync(many);
        await ProduceAsync(fits);

        var found = new List<(RecordDefect Defect, int Headers, string Key, string Value, string Cut)>();
        await using var reader = log.OpenReader(Partition, 0);
        using var patience = new CancellationTokenSource(Patience);
        while (found.Count < 3) Look(await reader.ReadAsync(ct: patience.Token), found);

        Assert.That(found, Is.EqualTo(new[]
        {
            (RecordDefect.HeadersCut, 2, "pump", "body", "2"),
            (RecordDefect.HeadersCut, 65_535, "pump", "body", "70000"),
            (RecordDefect.None, 1, "pump", "body", ""),
        }));
    }

    private async Task ProduceAsync(Headers headers)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig { BootstrapServers = Options.BootstrapServers }).Build();
        await producer.ProduceAsync(
            new Confluent.Kafka.TopicPartition(Options.Prefix + "telemetry", 0),
            new Message<byte[], byte[]>
            {
                Key = "pump"u8.ToArray(),
                Value = "body"u8.ToArray(),
                Headers = headers,
            });
    }

    private static void Look(
        RecordBatch batch, List<(RecordDefect Defect, int Headers, string Key, string Value, string Cut)> found)
    {
        foreach (var record in batch)
        {
            record.TryGetHeader(RecordDefects.CutHeader, out var cut);
            found.Add((RecordDefects.Find(record, long.MaxValue), record.HeaderCount,
                Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value),
                Encoding.UTF8.GetString(cut)));
        }
    }
}
