using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>The archiver dies at every step, and each record of the log is in the table once all the same.</summary>
public sealed class ArchiverCrashTests
{
    private const long At = 1_764_000_000_000;

    private ArchiverHarness _archive = null!;

    [SetUp]
    public async Task Make() => _archive = await new ArchiverHarness().With("RollRows", "20").MadeAsync();

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task Dying_at_the_nth_write_neither_loses_nor_doubles_a_row(
        [Range(1, 9)] int write, [Values(WriteFault.CrashBefore, WriteFault.CrashAfter)] WriteFault fault)
    {
        await SendAsync(new Random(write), 60);
        var writes = 0;
        var dying = new FaultyObjectStore(
            _archive.Objects, _ => Interlocked.Increment(ref writes) == write ? fault : WriteFault.None);
        await _archive.StartAsync(dying);
        await dying.Crashed.WaitAsync(TimeSpan.FromSeconds(20));
        await _archive.StopAsync();

        await SendAsync(new Random(write + 100), 10);
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        await EachRecordOnceAsync();
    }

    [Test]
    public async Task Dying_again_and_again_while_records_come_neither_loses_nor_doubles_a_row([Range(1, 6)] int seed)
    {
        var random = new Random(seed);
        for (var life = 0; life < 8; life++)
        {
            var dieAt = random.Next(1, 7);
            var fault = random.Next(2) == 0 ? WriteFault.CrashBefore : WriteFault.CrashAfter;
            var writes = 0;
            var dying = new FaultyObjectStore(
                _archive.Objects, _ => Interlocked.Increment(ref writes) == dieAt ? fault : WriteFault.None);
            await _archive.StartAsync(dying);
            while (!dying.Crashed.IsCompleted) await SendAsync(random, 15);
            await _archive.StopAsync();
        }

        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        await EachRecordOnceAsync();
    }

    [Test]
    public async Task A_store_that_fails_now_and_then_only_delays([Range(1, 6)] int seed)
    {
        var random = new Random(seed);
        var failing = new FaultyObjectStore(_archive.Objects, _ =>
        {
            lock (random)
            {
                return random.Next(6) switch
                {
                    0 => WriteFault.Refused,
                    1 => WriteFault.AnswerLost,
                    _ => WriteFault.None,
                };
            }
        });
        await _archive.StartAsync(failing);
        for (var i = 0; i < 10; i++) await SendAsync(new Random((seed * 100) + i), 20);
        await _archive.CaughtUpAsync();

        await EachRecordOnceAsync();
    }

    [Test]
    public async Task Two_archivers_over_the_same_partitions_archive_each_record_once()
    {
        await _archive.StartAsync();
        await _archive.StartTwinAsync();
        for (var i = 0; i < 20; i++) await SendAsync(new Random(i), 10);
        await _archive.CaughtUpAsync();
        await _archive.StopAsync();

        await EachRecordOnceAsync();
    }

    private async Task SendAsync(Random random, int records)
    {
        for (var i = 0; i < records; i++)
            await _archive.SendAsync($"device-{random.Next(9)}", (At + random.Next(7_200_000), $"{i}"));
    }

    private async Task EachRecordOnceAsync()
    {
        var rows = await _archive.SqlAsync("SELECT log_partition, log_offset FROM telemetry");
        Assert.That(rows, Is.Unique);
        Assert.That(rows, Has.Count.EqualTo(await _archive.RecordsInLogAsync()));
        var longest = await _archive.SqlAsync(
            "SELECT log_partition, max(log_offset) + 1 - count(*) AS missing FROM telemetry GROUP BY ALL");
        Assert.That(longest.Select(line => line.Split('|')[1]), Is.All.EqualTo("0"));
    }
}
