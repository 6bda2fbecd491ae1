using Microsoft.Extensions.DependencyInjection;
using Millrace.Archiver;
using Millrace.Archiver.Tests;
using Millrace.Archiver.Upkeep;
using Millrace.EventLog.Kafka;
using Millrace.ObjectStore;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Contract.Tests.Archive;

/// <summary>
/// Archivers between real brokers and a real S3 store: whatever they do, each record is in the table once.
/// </summary>
[Category("Faults")]
public sealed class ArchiverFaultTests
{
    private const long At = 1_764_000_000_000;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private KafkaLogOptions _brokers = null!;
    private ServiceProvider _store = null!;
    private ArchiverHarness _archive = null!;
    private ArchiverCounts _counts = null!;

    [SetUp]
    public async Task Make()
    {
        _brokers = await KafkaBrokers.OptionsAsync($"a{Guid.NewGuid():N}.");
        _store = await S3Node.OpenAsync();
        _counts = new ArchiverCounts();
        _archive = await new ArchiverHarness(_store.GetRequiredService<IObjectStore>(), new KafkaLog(_brokers))
            .With("RollRows", "20").With("Upkeep:CompactionFilesMin", "2").With("Upkeep:UpkeepInterval", "00:00:00")
            .MadeAsync();
    }

    [TearDown]
    public async Task Remove()
    {
        if (_archive is not null) await _archive.DisposeAsync();
        _counts?.Dispose();
        if (_store is not null) await _store.DisposeAsync();
        if (_brokers is not null) await KafkaBrokers.DeleteTopicsAsync(_brokers.Prefix);
    }

    [Test]
    public async Task Dying_at_each_write_neither_loses_nor_doubles_a_row(
        [Values(WriteFault.CrashBefore, WriteFault.CrashAfter)] WriteFault fault)
    {
        var random = new Random((int)fault);
        for (var dieAt = 1; dieAt <= 9; dieAt++)
        {
            var (writes, last) = (0, dieAt);
            var dying = new FaultyObjectStore(
                _archive.Objects, _ => Interlocked.Increment(ref writes) == last ? fault : WriteFault.None);
            await _archive.StartAsync(dying, Sees(0, 1, 2));
            while (!dying.Crashed.IsCompleted) await SendAsync(random, 15);
            await _archive.StopAsync();
        }

        await _archive.StartAsync(log: Sees(0, 1, 2));
        await _archive.CaughtUpAsync();
        await ArchiveChecks.HoldsAsync(_archive);
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task Two_archivers_of_the_same_partitions_between_merges_archive_each_record_once(int seed)
    {
        await _archive.StartAsync(log: Sees(0, 1, 2));
        var second = await _archive.StartTwinAsync(Sees(0, 1, 2));
        var random = new Random(seed);
        await WhileMergingAsync([_archive.Services, second], async () =>
        {
            for (var i = 0; i < 40; i++) await SendAsync(random, 20);
            await _archive.CaughtUpAsync();
        });

        await ArchiveChecks.HoldsAsync(_archive);
        Assert.That(_counts["restarts/superseded"], Is.GreaterThan(0), "they were in each other's way");
        Assert.That(_counts["compactions/done"], Is.GreaterThan(0));
    }

    [TestCase(3)]
    [TestCase(4)]
    public async Task Three_writers_merges_an_erasure_and_retention_change_one_table_and_lose_nothing(int seed)
    {
        await _archive.StartAsync(log: Sees(0));
        var others = new[] { await _archive.StartTwinAsync(Sees(1)), await _archive.StartTwinAsync(Sees(2)) };
        var random = new Random(seed);
        await WhileMergingAsync([_archive.Services, .. others], async () =>
        {
            for (var i = 0; i < 15; i++) await SendAsync(random, 30);
            await _archive.CaughtUpAsync();
            var erasing = _archive.Get<DeviceEraser>().RunAsync(Table(_archive.Services), "device-3", default);
            for (var i = 0; i < 15; i++) await SendAsync(random, 30);
            var age = TimeProvider.System.GetUtcNow() - (DateTimeOffset.FromUnixTimeMilliseconds(At) + Hour);
            await others[1].GetRequiredService<ArchiveRetention>().RunAsync(Table(others[1]), age, default);
            for (var i = 0; i < 15; i++) await SendAsync(random, 30);
            await erasing;
            await _archive.CaughtUpAsync();
        });

        var parts = await ArchiveChecks.HoldsAsync(_archive);
        Assert.That(parts.Sum(part => part.Erased), Is.GreaterThan(0));
        Assert.That(parts.Sum(part => part.Retired), Is.GreaterThan(0));
        Assert.That(_counts["commit.conflicts"], Is.GreaterThan(0), "they were in each other's way");
        Assert.That(_counts["compactions/done"], Is.GreaterThan(0));
    }

    private static ArchiveTable Table(IServiceProvider archiver) =>
        archiver.GetRequiredService<ArchiveTables>().Telemetry;

    private AssignedLog Sees(params int[] partitions) => new(_archive.Log, partitions);

    /// <summary>Each of the archivers merges what it finds, as long as the work lasts.</summary>
    private static async Task WhileMergingAsync(IServiceProvider[] archivers, Func<Task> work)
    {
        using var stop = new CancellationTokenSource();
        var merging = archivers.Select(archiver => Task.Run(async () =>
        {
            var compactor = archiver.GetRequiredService<Compactor>();
            while (!stop.IsCancellationRequested)
            {
                if ((await compactor.RunOnceAsync(Table(archiver), all: true, default)).Done) continue;
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        })).ToList();
        try
        {
            await work();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(merging);
        }
    }

    private async Task SendAsync(Random random, int records)
    {
        var hours = (int)(2 * Hour).TotalMilliseconds;
        for (var i = 0; i < records; i += 5)
        {
            var times = Enumerable.Range(i, 5).Select(n => (At + random.Next(hours), $$"""{"n":{{n}}}""")).ToArray();
            await _archive.SendAsync($"device-{random.Next(9)}", times);
        }
    }
}
