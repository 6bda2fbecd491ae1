using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Readers of a partition in one process, which share what is fetched while they are at one place.</summary>
public class KafkaSharingTests : KafkaTest
{
    private const int Few = 64 * 1024;
    private static readonly TopicPartition Partition = new("telemetry", 0);

    [Test]
    public async Task Readers_at_one_place_have_one_fetch_and_the_same_bytes()
    {
        var log = await OpenAsync("telemetry");
        await using var first = log.OpenReader(Partition, 0);
        await using var second = log.OpenReader(Partition, 0);
        var waiting = new[] { first.ReadAsync().AsTask(), second.ReadAsync().AsTask() };
        await FillAsync(log, 20_000);
        foreach (var batch in await Task.WhenAll(waiting).WaitAsync(Patience)) Check(batch, 0, Few);
        Assert.That(first.Position, Is.EqualTo(second.Position));
        while (first.Position < 20_000)
        {
            var one = await first.ReadAsync();
            var other = await second.ReadAsync();
            Assert.That(other, Is.EqualTo(one));
            Assert.That(log.Readers.Fetches, Is.EqualTo(1));
        }
    }

    [Test]
    public async Task One_that_falls_behind_fetches_for_itself_until_it_is_back()
    {
        Options.Consumer.SharedBytesMax = ByteSize.FromKiB(256);
        var log = await OpenAsync("telemetry");
        await FillAsync(log, 60_000);
        await using var slow = log.OpenReader(Partition, 0);
        await using var fast = log.OpenReader(Partition, 0);
        Check(await slow.ReadAsync(), 0, Few);
        await ReadUntilAsync(fast, 60_000);
        Assert.That(log.Readers.Fetches, Is.EqualTo(1));

        await ReadUntilAsync(slow, slow.Position + 1);
        Assert.That(log.Readers.Fetches, Is.EqualTo(2));
        await ReadUntilAsync(slow, 60_000);
        await AppendAsync(log, Partition, "60000");
        await ReadUntilAsync(fast, 60_001);
        await ReadUntilAsync(slow, 60_001);
        Assert.That(await slow.TryReadAsync(), Is.Null);
        Assert.That(await fast.TryReadAsync(), Is.Null);
        Assert.That(log.Readers.Fetches, Is.EqualTo(1));
    }

    [Test]
    public async Task What_was_trimmed_meanwhile_is_told_to_the_one_that_is_behind_alone()
    {
        Options.Consumer.SharedBytesMax = ByteSize.FromKiB(64);
        var log = await OpenAsync("telemetry");
        await FillAsync(log, 20_000);
        await using var slow = log.OpenReader(Partition, 0);
        await using var fast = log.OpenReader(Partition, 0);
        await slow.ReadAsync();
        await ReadUntilAsync(fast, 20_000);
        await log.TrimAsync(Partition, 19_000);
        var error = Assert.ThrowsAsync<MillraceException>(async () => await ReadUntilAsync(slow, 20_000));
        Assert.That(error!.Error.Definition, Is.EqualTo(EventLogErrors.Trimmed));
        await AppendAsync(log, Partition, "20000");
        Check(await fast.ReadAsync(), 20_000, Few);
    }

    [Test]
    public async Task One_that_is_closed_while_it_waits_ends_and_others_wait_on()
    {
        var log = await OpenAsync("telemetry");
        var closed = log.OpenReader(Partition, 0);
        await using var stays = log.OpenReader(Partition, 0);
        var (ends, goesOn) = (closed.ReadAsync().AsTask(), stays.ReadAsync().AsTask());
        await closed.DisposeAsync();
        Assert.That(async () => await ends.WaitAsync(Patience), Throws.InstanceOf<ObjectDisposedException>());
        await AppendAsync(log, Partition, "0");
        Check(await goesOn.WaitAsync(Patience), 0, Few);
    }

    [Test]
    public async Task Readers_that_are_close_come_together_while_records_come()
    {
        var log = await OpenAsync("telemetry");
        await FillAsync(log, 3_000);
        await using var ahead = log.OpenReader(Partition, 2_500);
        await using var behind = log.OpenReader(Partition, 0);
        Check(await ahead.ReadAsync(), 2_500, Few);
        Check(await behind.ReadAsync(), 0, Few);
        Assert.That(log.Readers.Fetches, Is.EqualTo(2));

        // Each time there is something left for both, and one stays behind the other.
        var next = 3_000;
        await Eventually.TrueAsync(async () =>
        {
            await FillAsync(log, 500, next);
            next += 500;
            await ReadUntilAsync(ahead, next - 100, bytesMax: 4_000);
            await ReadUntilAsync(behind, next - 300, bytesMax: 4_000);
            return log.Readers.Fetches == 1;
        }, "they share a fetch", Patience);
        await ReadUntilAsync(ahead, next);
        await ReadUntilAsync(behind, next);
    }

    [Test]
    public async Task One_that_is_closed_just_when_something_comes_ends_too()
    {
        var log = await OpenAsync("telemetry");
        await using var stays = log.OpenReader(Partition, 0);
        for (var number = 0; number < 200; number++)
        {
            var goesOn = stays.ReadAsync().AsTask();
            var closed = log.OpenReader(Partition, number);
            var ends = closed.ReadAsync().AsTask();
            var appended = AppendAsync(log, Partition, $"{number}");
            for (var turns = number % 20; turns > 0; turns--) await Task.Yield();
            await closed.DisposeAsync();
            await Task.WhenAny(ends).WaitAsync(Patience);
            if (ends.IsFaulted)
                Assert.That(async () => await ends, Throws.InstanceOf<ObjectDisposedException>());
            Check(await goesOn.WaitAsync(Patience), number, Few);
            await appended;
        }

        await stays.DisposeAsync();
        Assert.That(log.Readers.Fetches, Is.Zero);
    }

    /// <summary>Readers that begin, seek, pause and end anywhere, while records come, read what stands there.</summary>
    [TestCase(1, 64)]
    [TestCase(2, 1024)]
    [TestCase(3, 200)]
    public async Task Each_reader_reads_what_stands_at_its_place(int seed, int keptKiB)
    {
        Options.Consumer.SharedBytesMax = ByteSize.FromKiB(keptKiB);
        var log = await OpenAsync("telemetry");
        await FillAsync(log, 5_000);
        var appending = Task.Run(async () =>
        {
            for (var next = 5_000; next < 40_000; next += 500) await FillAsync(log, 500, next);
        });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(number => Task.Run(
            () => WanderAsync(log, new Random((seed * 100) + number)))));
        await appending;

        // Who is where the others are comes together with them.
        var readers = Enumerable.Range(0, 4).Select(n => log.OpenReader(Partition, 39_000 + (n * 250))).ToList();
        foreach (var reader in readers) await ReadUntilAsync(reader, 40_000);
        foreach (var reader in readers) Assert.That(await reader.TryReadAsync(), Is.Null);
        Assert.That(log.Readers.Fetches, Is.EqualTo(1));
        foreach (var reader in readers) await reader.DisposeAsync();
        Assert.That(log.Readers.Fetches, Is.Zero);
    }

    private static async Task WanderAsync(KafkaLog log, Random random)
    {
        using var patience = new CancellationTokenSource(Patience);
        for (var life = 0; life < 6; life++)
        {
            await using var reader = log.OpenReader(Partition, random.Next(5_000));
            for (var reads = random.Next(400); reads > 0; reads--)
            {
                var (from, bytes) = (reader.Position, random.Next(2) == 0 ? Few : random.Next(100, 100_000));
                if (random.Next(40) == 0) reader.Seek(from = random.Next(5_000));
                if (random.Next(40) == 0) await Task.Yield();
                if (await reader.TryReadAsync(bytes, patience.Token) is { } batch) Check(batch, from, bytes);
            }
        }
    }

    private static async Task ReadUntilAsync(IPartitionReader reader, long end, int bytesMax = Few)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (reader.Position < end)
        {
            var from = reader.Position;
            Check(await reader.ReadAsync(bytesMax, patience.Token), from, bytesMax);
        }
    }

    /// <summary>Each record's value is its offset.</summary>
    private static void Check(RecordBatch batch, long from, int bytesMax)
    {
        Assert.That(batch.FirstOffset, Is.EqualTo(from));
        Assert.That(batch.Count, Is.Positive);
        Assert.That(batch.Count == 1 || batch.Bytes.Length <= bytesMax);
        var (offset, bytes) = (from, 0);
        foreach (var record in batch)
        {
            Assert.That(Encoding.UTF8.GetString(record.Value), Is.EqualTo($"{offset}"));
            Assert.That(record.Offset, Is.EqualTo(offset++));
            bytes += record.Bytes.Length;
        }

        Assert.That(offset - from, Is.EqualTo(batch.Count));
        Assert.That(bytes, Is.EqualTo(batch.Bytes.Length));
    }

    private static async Task FillAsync(KafkaLog log, int count, int first = 0)
    {
        foreach (var some in Enumerable.Range(first, count).Chunk(500))
            await AppendAsync(log, Partition, [.. some.Select(number => $"{number}")]);
    }
}
