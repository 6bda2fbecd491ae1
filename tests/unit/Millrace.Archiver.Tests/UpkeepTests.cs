using Millrace.Archiver.Upkeep;

namespace Millrace.Archiver.Tests;

/// <summary>Merging, retention and erasing change files, and of the rows only what they are for.</summary>
public sealed class UpkeepTests
{
    private const long At = 1_764_000_000_000;

    private ArchiverHarness _archive = null!;

    private ArchiveTable Telemetry => _archive.Get<ArchiveTables>().Telemetry;

    [SetUp]
    public async Task Make() => _archive = await new ArchiverHarness().With("RollRows", "20")
        .With("PromotedColumns:0:Name", "t").With("PromotedColumns:0:Path", "t")
        .With("Upkeep:CompactionFilesMin", "2").With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task A_merge_keeps_each_row_as_it_is_and_sorts_by_device()
    {
        await _archive.StartAsync();
        for (var i = 0; i < 6; i++) await SendAsync(new Random(i), 30);
        await _archive.CaughtUpAsync();
        var before = await RowsAsync();
        var files = (await _archive.TableAsync())!.Files.Count;

        await CompactAllAsync();

        Assert.That(await RowsAsync(), Is.EqualTo(before));
        var table = (await _archive.TableAsync())!;
        Assert.That(table.Files, Has.Count.EqualTo(2), "one for each hour");
        Assert.That(files, Is.GreaterThan(2));
        Assert.That(table.Files.Values.Select(file => file.DataChange), Is.All.False);
        Assert.That(table.Files.Values.Sum(file => file.Stats!.Records), Is.EqualTo(before.Count));
        foreach (var file in table.Files.Values)
        {
            var rows = await _archive.Get<TableFiles>().ReadAsync(Telemetry, table, [file], CancellationToken.None);
            Assert.That(rows.Sorted(), Is.EqualTo(Enumerable.Range(0, rows.Count)));
        }

        await VerifiedAsync();
    }

    [Test]
    public async Task Files_are_merged_only_as_far_as_their_rows_may_be_held_in_memory()
    {
        _archive.With("RollRows", "100000").With("RollSize", "4MiB").With("Upkeep:CompactionRowsMax", "1000");
        await _archive.StartAsync();
        foreach (var rows in new[] { 700, 600, 300, 200 })
        {
            await _archive.SendAsync("device-1", [.. Enumerable.Range(0, rows).Select(i => (At, $"{i}"))]);
            await _archive.CaughtUpAsync();
        }

        await CompactAllAsync();

        var sizes = (await _archive.TableAsync())!.Files.Values.Select(file => file.Stats!.Records).ToList();
        Assert.That(sizes.Sum(), Is.EqualTo(1800));
        Assert.That(sizes, Has.Count.GreaterThan(1).And.All.LessThanOrEqualTo(1000));
        Assert.That(await _archive.Get<Compactor>().RunOnceAsync(Telemetry, all: true, CancellationToken.None),
            Has.Property("Done").False);
    }

    [Test]
    public async Task While_files_are_merged_a_reader_sees_each_row_once([Range(1, 4)] int seed)
    {
        await _archive.StartAsync();
        await _archive.StartTwinAsync();
        using var stop = new CancellationTokenSource();
        var merging = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await _archive.Get<Compactor>().RunOnceAsync(Telemetry, all: true, CancellationToken.None);
        });
        var reading = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                // Rows and positions move together, so they agree in every version.
                if (await _archive.TableAsync() is not { } table) continue;
                var positions = table.Transactions.Values.Sum(at => at.Version);
                Assert.That(table.Files.Values.Sum(file => file.Stats!.Records), Is.EqualTo(positions));
            }
        });
        for (var i = 0; i < 15; i++) await SendAsync(new Random((seed * 100) + i), 20);
        await _archive.CaughtUpAsync();
        await stop.CancelAsync();
        await Task.WhenAll(merging, reading);

        await CompactAllAsync();
        Assert.That((await _archive.TableAsync())!.Files, Has.Count.EqualTo(2));
        await VerifiedAsync();
    }

    [Test]
    public async Task An_erased_device_is_gone_and_the_table_says_so_and_what_it_sends_later_stays()
    {
        await _archive.StartAsync();
        for (var i = 0; i < 4; i++) await SendAsync(new Random(i), 30);
        await _archive.CaughtUpAsync();
        var rows = (await RowsAsync("device_id = 'device-3'")).Count;

        var erased = await _archive.Get<DeviceEraser>().RunAsync(Telemetry, "device-3", CancellationToken.None);
        await _archive.SendAsync("device-3", (At, "{\"t\":1}"), (At, "{\"t\":2}"));
        await _archive.CaughtUpAsync();
        var proof = await _archive.Get<ErasureProver>().ProveAsync(Telemetry, "device-3", CancellationToken.None);

        Assert.That(rows, Is.GreaterThan(0));
        Assert.That(erased.Rows, Is.EqualTo(rows));
        Assert.That(proof.ErasedRowsFound, Is.Zero);
        Assert.That(proof.LaterRows, Is.EqualTo(2));
        Assert.That(proof.Records.Single(), Has.Property("Begun").GreaterThan(0));
        Assert.That(proof.Records[0].Done, Is.EqualTo(proof.Records[0].Begun));
        Assert.That(proof.OldFiles, Is.EqualTo(erased.FilesRewritten));
        Assert.That(proof.OldFilesGoBy, Is.GreaterThan(TimeProvider.System.GetUtcNow().AddDays(6)));
        await _archive.Objects.PutAsync("telemetry/date=2026-11-22/hour=7/of-a-writer-that-died.parquet", new byte[9]);
        var stray = await _archive.Get<ErasureProver>().ProveAsync(Telemetry, "device-3", CancellationToken.None);
        Assert.That(stray.OldFiles, Is.EqualTo(proof.OldFiles + 1), "it may have rows of the device");
        Assert.That(stray.OldFilesGoBy, Is.GreaterThan(proof.OldFilesGoBy!.Value));
        var seen = await VerifiedAsync();
        Assert.That(seen.Sum(part => part.Erased), Is.EqualTo(rows));
        var never = await _archive.Get<ErasureProver>().ProveAsync(Telemetry, "never-there", CancellationToken.None);
        Assert.That(never.Records, Is.Empty);
    }

    [Test]
    public async Task An_erasure_ends_while_the_device_goes_on_sending_and_takes_what_was_there_at_its_beginning()
    {
        await _archive.StartAsync();
        for (var i = 0; i < 4; i++) await SendAsync(new Random(i), 30);
        await _archive.CaughtUpAsync();
        var before = await RowsAsync("device_id = 'device-3'");
        using var stop = new CancellationTokenSource();
        var sent = 0;
        var sending = Task.Run(async () =>
        {
            do await _archive.SendAsync("device-3", (At, $"{{\"later\":{++sent}}}"));
            while (!stop.IsCancellationRequested);
        });

        var erased = await _archive.Get<DeviceEraser>().RunAsync(Telemetry, "device-3", CancellationToken.None);
        await stop.CancelAsync();
        await sending;
        await _archive.CaughtUpAsync();
        var proof = await _archive.Get<ErasureProver>().ProveAsync(Telemetry, "device-3", CancellationToken.None);

        Assert.That(before, Is.Not.Empty);
        Assert.That(erased.Rows, Is.GreaterThanOrEqualTo(before.Count));
        Assert.That(proof.ErasedRowsFound, Is.Zero);
        Assert.That(erased.Rows + proof.LaterRows, Is.EqualTo(before.Count + sent));
        await VerifiedAsync();
    }

    [Test]
    public async Task What_is_erased_while_files_are_merged_and_rows_come_stays_erased([Range(1, 3)] int seed)
    {
        await _archive.StartAsync();
        for (var i = 0; i < 6; i++) await SendAsync(new Random((seed * 100) + i), 20);
        await _archive.CaughtUpAsync();
        using var stop = new CancellationTokenSource();
        var merging = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await _archive.Get<Compactor>().RunOnceAsync(Telemetry, all: true, CancellationToken.None);
        });
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 6; i++) await SendAsync(new Random((seed * 200) + i), 20, devicesFrom: 4);
        });

        await _archive.Get<DeviceEraser>().RunAsync(Telemetry, "device-3", CancellationToken.None);
        await sending;
        await _archive.CaughtUpAsync();
        await stop.CancelAsync();
        await merging;

        Assert.That(await RowsAsync("device_id = 'device-3'"), Is.Empty);
        await VerifiedAsync();
    }

    [Test]
    public async Task Hours_that_are_too_old_go_and_the_table_says_up_to_which()
    {
        var now = TimeProvider.System.GetUtcNow();
        var oldMs = now.AddDays(-3).ToUnixTimeMilliseconds();
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (oldMs, "1"), (oldMs, "2"));
        await _archive.SendAsync("device-2", (now.ToUnixTimeMilliseconds(), "3"));
        await _archive.CaughtUpAsync();

        var retention = _archive.Get<ArchiveRetention>();
        var retired = await retention.RunAsync(Telemetry, TimeSpan.FromDays(2), CancellationToken.None);

        Assert.That(retired.Rows, Is.EqualTo(2));
        Assert.That(await RowsAsync(), Has.Count.EqualTo(1));
        Assert.That((await VerifiedAsync()).Sum(part => part.Retired), Is.EqualTo(2));
        Assert.That(await retention.RunAsync(Telemetry, TimeSpan.FromDays(2), CancellationToken.None),
            Is.EqualTo(new Retired(0, 0, null)));
    }

    [Test]
    public async Task By_schedule_files_are_merged_and_old_hours_go()
    {
        var now = TimeProvider.System.GetUtcNow();
        _archive.With("Upkeep:UpkeepInterval", "00:00:00.200").With("Upkeep:CompactionAfter", "00:00:00")
            .With("Upkeep:ArchiveRetention", "2.00:00:00");
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (now.AddDays(-3).ToUnixTimeMilliseconds(), "old"));
        for (var i = 0; i < 4; i++)
        {
            await _archive.SendAsync($"device-{i}", (now.ToUnixTimeMilliseconds(), $"{i}"));
            await _archive.CaughtUpAsync();
        }

        await TestKit.Eventually.TrueAsync(
            async () => (await _archive.TableAsync())!.Files.Count == 1, "one file of the hour is left");
        Assert.That(await RowsAsync(), Has.Count.EqualTo(4));
        Assert.That((await VerifiedAsync()).Sum(part => part.Retired), Is.EqualTo(1));
        Assert.That((await Telemetry.Table.HistoryAsync().Select(v => v.Operation).ToListAsync()),
            Is.SupersetOf(new[] { "OPTIMIZE", "DELETE" }));
    }

    [Test]
    public async Task A_column_whose_type_was_changed_stands_beside_the_old_one_and_no_row_is_lost()
    {
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (At, "{\"t\":1.5}"), (At, "{\"t\":\"warm\"}"));
        await _archive.CaughtUpAsync();
        await _archive.StopAsync();
        _archive.With("PromotedColumns:0:Type", "String");
        await _archive.StartAsync();
        await _archive.SendAsync("device-1", (At, "{\"t\":2.5}"), (At, "{\"t\":\"cold\"}"));
        await _archive.CaughtUpAsync();
        await CompactAllAsync();

        Assert.That((await _archive.TableAsync())!.Files, Has.Count.EqualTo(1));
        Assert.That(await _archive.SqlAsync("SELECT t, t_string FROM telemetry ORDER BY log_offset"),
            Is.EqualTo(new[] { "1.5|", "|", "|", "|cold" }));
        await VerifiedAsync();
    }

    private async Task CompactAllAsync()
    {
        while ((await _archive.Get<Compactor>().RunOnceAsync(Telemetry, all: true, CancellationToken.None)).Done)
        {
            // Until nothing is left to merge.
        }
    }

    private async Task SendAsync(Random random, int records, int devicesFrom = 0)
    {
        for (var i = 0; i < records; i++)
        {
            await _archive.SendAsync($"device-{random.Next(devicesFrom, 9)}",
                (At + random.Next(7_200_000), random.Next(3) == 0 ? "no json" : $"{{\"t\":{i}}}"));
        }
    }

    private Task<List<string>> RowsAsync(string where = "true") => _archive.SqlAsync(
        $"SELECT * FROM telemetry WHERE {where} ORDER BY log_partition, log_offset");

    private Task<List<Verification.Verification>> VerifiedAsync() => ArchiveChecks.HoldsAsync(_archive);
}
