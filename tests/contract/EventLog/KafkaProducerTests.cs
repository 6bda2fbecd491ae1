using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.EventLog.Kafka.Native;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>What becomes of appends when something goes wrong.</summary>
public sealed class KafkaProducerTests : KafkaTest
{
    private const int OutOfOrderSequence = 45;
    private static readonly TopicPartition Partition = new("telemetry", 0);

    [Test]
    public async Task After_a_fatal_error_appends_fail_or_are_there_and_a_new_producer_takes_over()
    {
        var log = await OpenAsync("telemetry");
        await AppendAsync(log, Partition, "before");
        var broken = log.Producers.Of(Partition).Current;
        var written = new List<string>();
        var uncertain = new List<string>();

        var appends = Enumerable.Range(0, 200).Select(n => Task.Run(async () =>
        {
            if (n == 100) broken.FailFatally(OutOfOrderSequence);
            try
            {
                var range = await AppendAsync(log, Partition, $"{n}");
                lock (written) written.Add($"{range.First}:{n}");
            }
            catch (MillraceException e)
            {
                Assert.That(e.Error.Code, Is.EqualTo("LOG-0011"));
                lock (written) uncertain.Add($"{n}");
            }
        }));
        await Task.WhenAll(appends).WaitAsync(Patience);
        var last = await AppendAsync(log, Partition, "after");

        Assert.That(log.Producers.Of(Partition).Current, Is.Not.SameAs(broken));
        await broken.Ended.WaitAsync(Patience);
        var values = await ReadAsync(log, Partition, (int)last.Next);
        var places = values.Select((value, offset) => $"{offset}:{value}").ToHashSet();
        Assert.That(written.Where(place => !places.Contains(place)), Is.Empty, "acknowledged, and not there");
        Assert.That(values, Is.Unique);
        Assert.That(written.Count + uncertain.Count, Is.EqualTo(200));
    }

    [Test]
    public async Task Appends_wait_for_room_and_can_be_given_up_until_they_have_it()
    {
        Options.Producer.QueueRecordsMax = 1;
        var log = await OpenAsync("telemetry");
        using var cancel = new CancellationTokenSource();
        var appends = Enumerable.Range(0, 50).Select(n => AppendAsync(log, Partition, $"{n}")).ToList();
        using var records = new RecordBatchBuilder();
        records.Begin(1_000, "device"u8);
        records.End("given up"u8);
        var waiting = log.AppendAsync(Partition, records, cancel.Token).AsTask();
        await cancel.CancelAsync();

        var ranges = await Task.WhenAll(appends).WaitAsync(Patience);
        Assert.That(ranges.Select(range => range.First).Order(), Is.EqualTo(Enumerable.Range(0, 50)));
        try
        {
            // It may have got room just before it was given up.
            Assert.That((await waiting).First, Is.EqualTo(50));
        }
        catch (OperationCanceledException)
        {
            Assert.That((await log.RangeAsync(Partition)).Next, Is.EqualTo(50));
        }
    }

    [Test]
    public async Task A_record_that_is_too_large_is_refused_and_nothing_is_written()
    {
        var log = await OpenAsync("telemetry");
        var large = new string('x', (int)Options.Producer.RecordBytesMax.Bytes);

        Assert.That(async () => await AppendAsync(log, Partition, "small", large),
            Throws.TypeOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("LOG-0008"));

        Assert.That(await log.RangeAsync(Partition), Is.EqualTo(new OffsetRange(0, 0)));
    }

    [Test]
    public async Task The_largest_record_goes_through()
    {
        var log = await OpenAsync("telemetry");
        var random = new Random(1);
        var large = new string([.. Enumerable.Range(0, (int)Options.Producer.RecordBytesMax.Bytes - 200)
            .Select(_ => (char)random.Next('a', 'z'))]);

        await AppendAsync(log, Partition, large);

        Assert.That(await ReadAsync(log, Partition, 1), Is.EqualTo(new[] { large }));
    }

    [Test]
    public async Task However_records_are_compressed_they_come_back([Values] KafkaCompression compression)
    {
        Options.Producer.Compression = compression;
        var log = await OpenAsync("telemetry");
        var values = Enumerable.Range(0, 200).Select(n => $"{n} {new string('x', 1_000)}").ToArray();

        await AppendAsync(log, Partition, values);

        Assert.That(await ReadAsync(log, Partition, values.Length), Is.EqualTo(values));
    }

    [Test]
    public async Task What_is_larger_than_a_reader_fetches_ahead_is_read_all_the_same()
    {
        Options.Consumer.ReadAheadBytesMax = ByteSize.FromKiB(64);
        var log = await OpenAsync("telemetry");
        var random = new Random(2);
        var sizes = Enumerable.Range(0, 40).Select(n => n % 4 == 0 ? 300_000 : 30_000);
        var values = sizes.Select(size => new string(
            [.. Enumerable.Range(0, size).Select(_ => (char)random.Next('a', 'z'))])).ToArray();
        foreach (var value in values) await AppendAsync(log, Partition, value);

        Assert.That(await ReadAsync(log, Partition, values.Length), Is.EqualTo(values));
    }

    [Test]
    public async Task Closing_ends_every_append()
    {
        var log = await OpenAsync("telemetry");
        var appends = Enumerable.Range(0, 500).Select(n => AppendAsync(log, Partition, $"{n}")).ToList();
        await log.DisposeAsync();
        var ranges = await Task.WhenAll(appends).WaitAsync(Patience);
        Assert.That(ranges.Select(range => range.First).Order(), Is.EqualTo(Enumerable.Range(0, 500)));
        Assert.That(async () => await AppendAsync(log, Partition, "x"), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Readers_of_many_partitions_share_a_consumer()
    {
        var log = await OpenAsync("telemetry", partitions: 32);
        var readers = Enumerable.Range(0, 32)
            .Select(p => log.OpenReader(new TopicPartition("telemetry", p), 0)).ToList();
        await AppendAsync(log, Partition, "0", "1");
        var again = log.OpenReader(Partition, 1);
        foreach (var reader in readers.Append(again)) _ = reader.ReadAsync().AsTask();

        Assert.That(log.Readers.Clients, Is.EqualTo(2));
        foreach (var reader in readers.Append(again)) await reader.DisposeAsync();
    }

    [Test]
    public void Errors_of_the_library_have_a_text() =>
        Assert.That(Rdkafka.Describe(NativeErrors.Fatal), Is.EqualTo("_FATAL: Local: Fatal error."));
}
