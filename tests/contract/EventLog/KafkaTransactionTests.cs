using System.Text;
using Confluent.Kafka;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Primitives;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>
/// Producers of others may write in transactions, whose ends take an offset each, and whose records count when they are
/// committed.
/// </summary>
public sealed class KafkaTransactionTests : KafkaTest
{
    private static readonly TopicPartition Partition = new("telemetry", 0);

    private IProducer<byte[], byte[]> _producer = null!;

    [TearDown]
    public void CloseProducer() => _producer?.Dispose();

    [Test]
    public async Task A_reader_passes_over_what_was_given_up_and_comes_to_the_end()
    {
        var log = await OpenAsync("telemetry");
        Begin();
        await AppendAsync(log, Partition, "a");
        await TransactAsync(log, isKept: true, "b", "c");
        await TransactAsync(log, isKept: false, "d", "e");
        await AppendAsync(log, Partition, "f");
        await TransactAsync(log, isKept: false, "g");

        // a, b and c, their end, d and e, their end, f, g, its end.
        var range = await log.RangeAsync(Partition);
        Assert.That(range, Is.EqualTo(new OffsetRange(0, 10)));
        var (values, batches) = (new List<string>(), new List<RecordBatch>());
        await using var reader = log.OpenReader(Partition, 0);
        using var patience = new CancellationTokenSource(Patience);
        while (reader.Position < range.Next)
        {
            batches.Add(await reader.ReadAsync(ct: patience.Token));
            Collect(batches[^1], values);
        }

        Assert.That(values, Is.EqualTo(new[] { "a", "b", "c", "f" }));
        Assert.That(batches.Select(batch => batch.FirstOffset), Is.Ordered);
        Assert.That((batches[^1].Count, batches[^1].NextOffset), Is.EqualTo((0, range.Next)), "where it ends");
        Assert.That(await reader.TryReadAsync(), Is.Null);
        await AppendAsync(log, Partition, "h");
        Collect(await reader.ReadAsync(ct: patience.Token), values);
        Assert.That(values[^1], Is.EqualTo("h"));
    }

    [Test]
    public async Task A_look_at_what_is_there_ends_where_the_partition_does()
    {
        var log = await OpenAsync("telemetry");
        Begin();
        await TransactAsync(log, isKept: false, "a", "b");
        await TransactAsync(log, isKept: true, "c");
        await TransactAsync(log, isKept: false, "d");

        var values = new List<string>();
        await using var reader = log.OpenReader(Partition, 0);
        while (await reader.TryReadAsync() is { } batch) Collect(batch, values);
        Assert.That(values, Is.EqualTo(new[] { "c" }));
        Assert.That(reader.Position, Is.EqualTo((await log.RangeAsync(Partition)).Next));
    }

    /// <summary>It joins who stands behind them already, and what follows them was fetched by then.</summary>
    [Test]
    public async Task A_reader_that_begins_where_offsets_hold_nothing_goes_on_behind_them()
    {
        var log = await OpenAsync("telemetry");
        Begin();
        using var patience = new CancellationTokenSource(Patience);
        await using var first = log.OpenReader(Partition, 0);
        await TransactAsync(log, isKept: false, "a");
        while (first.Position < 2) await first.ReadAsync(ct: patience.Token);
        await using var waiting = log.OpenReader(Partition, 2);
        var fetched = waiting.ReadAsync(ct: patience.Token).AsTask();
        await AppendAsync(log, Partition, "b", "c");
        await fetched;

        await using var second = log.OpenReader(Partition, 0);
        var values = new List<string>();
        Collect((await second.TryReadAsync(ct: patience.Token))!.Value, values);
        Assert.That(values, Is.EqualTo(new[] { "b", "c" }));
    }

    [Test]
    public async Task What_is_in_an_open_transaction_is_not_there_yet_and_nothing_behind_it_is()
    {
        var log = await OpenAsync("telemetry");
        Begin();
        await AppendAsync(log, Partition, "a");
        _producer.BeginTransaction();
        await ProduceAsync("b");
        await AppendAsync(log, Partition, "c");
        Assert.That((await log.RangeAsync(Partition)).Next, Is.EqualTo(1));
        var values = new List<string>();
        await using var reader = log.OpenReader(Partition, 0);
        while (await reader.TryReadAsync() is { } batch) Collect(batch, values);
        Assert.That(values, Is.EqualTo(new[] { "a" }));

        _producer.CommitTransaction();
        Assert.That(await ReadAsync(log, Partition, 3), Is.EqualTo(new[] { "a", "b", "c" }));
    }

    [Test]
    public async Task A_settled_range_ends_behind_a_barrier_that_no_reader_sees()
    {
        var log = await OpenAsync("telemetry");
        await AppendAsync(log, Partition, "a");
        var ranges = await Task.WhenAll(Enumerable.Range(0, 12).Select(n =>
            log.SettledRangeAsync(new TopicPartition(Partition.Topic, n % 4)).AsTask()));
        Assert.That(ranges.Select(range => range.First), Is.All.Zero);
        Assert.That(ranges.Where((_, n) => n % 4 == 0).Select(range => range.Next), Is.All.GreaterThan(1));
        Assert.That(ranges.Select(range => range.Next), Is.All.GreaterThan(0));

        await AppendAsync(log, Partition, "b");
        Assert.That(await ReadAsync(log, Partition, 2), Is.EqualTo(new[] { "a", "b" }));
        await using var other = log.OpenReader(new TopicPartition(Partition.Topic, 1), 0);
        Assert.That(await other.TryReadAsync(), Is.Null.Or.Property(nameof(RecordBatch.Count)).Zero);
    }

    [Test]
    public async Task A_settled_range_is_not_told_while_somebody_elses_transaction_is_open()
    {
        Options.RequestTimeout = TimeSpan.FromSeconds(3);
        var log = await OpenAsync("telemetry");
        Begin();
        _producer.BeginTransaction();
        await ProduceAsync("a");
        Assert.That(async () => await log.SettledRangeAsync(Partition),
            Throws.TypeOf<MillraceException>().With.Message.Contains("LOG-0012"));
        _producer.CommitTransaction();
        await log.SettledRangeAsync(Partition);
        Assert.That(await ReadAsync(log, Partition, 1), Is.EqualTo(new[] { "a" }));
    }

    private void Begin()
    {
        _producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = Options.BootstrapServers,
            TransactionalId = $"{Options.Prefix}foreign",
        }).Build();
        _producer.InitTransactions(Patience);
    }

    /// <summary>The brokers answer when it is decided, and write its end soon after.</summary>
    private async Task TransactAsync(KafkaLog log, bool isKept, params string[] values)
    {
        var end = (await log.RangeAsync(Partition)).Next + values.Length + 1;
        _producer.BeginTransaction();
        foreach (var value in values) await ProduceAsync(value);
        if (isKept) _producer.CommitTransaction();
        else _producer.AbortTransaction();
        await TestKit.Eventually.TrueAsync(
            async () => (await log.RangeAsync(Partition)).Next == end, "its end is written", Patience);
    }

    private Task ProduceAsync(string value) => _producer.ProduceAsync(
        new Confluent.Kafka.TopicPartition(Options.Prefix + Partition.Topic, Partition.Partition),
        new Message<byte[], byte[]> { Key = "device"u8.ToArray(), Value = Encoding.UTF8.GetBytes(value) });
}
