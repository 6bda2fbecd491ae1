using System.Text;
using Millrace.Archiver.Upkeep;
using Millrace.Delta;
using Millrace.Delta.Schema;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>What proves that a device is erased, and what does not; and when the last of it is gone.</summary>
public sealed class ErasureProofTests
{
    private const long At = 1_764_000_000_000;

    private ArchiverHarness _archive = null!;
    private OutputHarness _output = null!;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        _output = new OutputHarness(_archive, "hot");
        await _archive.StartAsync();
        await _output.ApplyAsync(isArchived: true);
        foreach (var device in new[] { "pump-1", "pump-2", "pump-3" })
        {
            await _archive.SendAsync(device, (At, "{}"));
            await _output.RowAsync(0, 1, device, "{}", device);
        }

        await _archive.CaughtUpAsync();
        await _output.CaughtUpAsync();
        await _output.ApplyAsync(isArchived: false);
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task A_device_that_was_never_erased_is_not_proven_to_be()
    {
        Assert.That(await UnprovenAsync("pump-1"), Is.EqualTo((string[])["No erasure of the device is recorded."]));
        Assert.That(await UnprovenAsync("never-there"), Has.Count.EqualTo(1));
        await EraseAsync("pump-1");
        Assert.That(await UnprovenAsync("pump-1"), Is.Empty);
        Assert.That(await UnprovenAsync("pump-2"), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_erasure_that_was_cut_off_after_it_began_is_not_proven()
    {
        await _archive.StopAsync();
        await _archive.StartAsync(new FaultyObjectStore(_archive.Objects,
            key => key.StartsWith("outputs/", StringComparison.Ordinal) ? WriteFault.CrashBefore : WriteFault.None));
        Assert.That(() => EraseAsync("pump-1"), Throws.InstanceOf<CrashedException>());
        await _archive.StopAsync();
        await _archive.StartAsync();

        Assert.That(await UnprovenAsync("pump-1"), Has.One.Contains("is done up to nothing"));
        await EraseAsync("pump-1");
        Assert.That(await UnprovenAsync("pump-1"), Is.Empty);
    }

    [Test]
    public async Task A_row_that_came_back_is_found()
    {
        var old = (await _archive.TableAsync())!.Files.Values.ToList();
        await EraseAsync("pump-1");
        await _archive.Get<ArchiveTables>().Telemetry.Table.CommitAsync(new DeltaCommit
        {
            Id = "back",
            Operation = "RESTORE",
            Adds = old,
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });

        Assert.That(await UnprovenAsync("pump-1"),
            Is.EqualTo((string[])["telemetry has 1 rows of before the erasure."]));
    }

    [Test]
    public async Task After_the_safe_age_nothing_names_the_device_any_more_though_nobody_writes_to_the_table()
    {
        await AgeLogsAsync();
        Assert.That(await NamingAsync("pump-1"), Is.Not.Empty);
        await EraseAsync("pump-1");
        var checkpoint = $"outputs/hot/_delta_log/{(await _output.TableAsync())!.Version:D20}.checkpoint.parquet";
        Assert.That(await _archive.Objects.FindAsync(checkpoint), Is.Not.Null, "nothing of before is needed for long");

        _archive.Time.Move(TimeSpan.FromDays(6));
        await VacuumAsync();
        Assert.That(await NamingAsync("pump-1"), Is.Not.Empty, "as it was can be read yet");
        _archive.Time.Move(TimeSpan.FromDays(2));
        await VacuumAsync();

        Assert.That(await NamingAsync("pump-1"), Is.Empty);
        Assert.That(await _output.RowIdsAsync(), Is.EqualTo((string[])["pump-2", "pump-3"]));
        Assert.That(await _archive.SqlAsync("SELECT device_id FROM telemetry ORDER BY 1"),
            Is.EqualTo((string[])["pump-2", "pump-3"]));
        Assert.That(await UnprovenAsync("pump-1"), Is.Empty, "the records stay");
        Assert.That((await _archive.Get<DeviceProver>().ProveAsync("pump-1", default)).Outputs[0].OldFiles, Is.Zero);
    }

    [Test]
    public async Task By_schedule_what_was_erased_goes_too()
    {
        using var job = new JobHarness(_archive, "features", new DeltaSchema([new("device_id", DeltaType.String)]));
        await job.RunAsync("2026-11-22", "SELECT 'pump-' || n AS device_id FROM range(1, 4) AS r(n)",
            TimeProvider.System.GetUtcNow());
        await AgeLogsAsync();
        Assert.That(await NamingAsync("pump-1"), Has.Some.StartsWith("jobs/features/_delta_log/"));
        await EraseAsync("pump-1");
        await _archive.StopAsync();
        _archive.With("Upkeep:UpkeepInterval", "00:00:00.200").With("Upkeep:VacuumInterval", "00:00:00.200");
        _archive.Time.Move(TimeSpan.FromDays(8));
        await _archive.StartAsync();

        await TestKit.Eventually.TrueAsync(
            async () => (await NamingAsync("pump-1")).Count == 0, "nothing names the device");
    }

    private async Task EraseAsync(string device) =>
        await _archive.Get<DeviceErasure>().RunAsync(device, CancellationToken.None);

    private async Task<IReadOnlyList<string>> UnprovenAsync(string device) =>
        (await _archive.Get<DeviceProver>().ProveAsync(device, CancellationToken.None)).Unproven;

    private async Task VacuumAsync()
    {
        foreach (var archive in await _archive.Get<ArchiveTables>().AllAsync(default))
            await _archive.Get<TableVacuum>().RunAsync(archive.Table, dryRun: false, default);
    }

    /// <summary>What the logs of all tables have is an hour old.</summary>
    private async Task AgeLogsAsync()
    {
        await foreach (var info in _archive.Objects.ListAsync(""))
        {
            if (!info.Key.Contains("/_delta_log/", StringComparison.Ordinal)) continue;
            var path = _archive.Objects.LocalPath(info.Key)!;
            File.SetLastWriteTimeUtc(path, info.ModifiedAt.UtcDateTime.AddHours(-1));
        }
    }

    /// <summary>The objects that have the device's id in their bytes.</summary>
    private async Task<List<string>> NamingAsync(string device)
    {
        var found = new List<string>();
        foreach (var key in await _archive.Objects.ListAsync("").Select(info => info.Key).ToListAsync())
        {
            var content = await _archive.Objects.GetAsync(key);
            if (content?.AsSpan().IndexOf(Encoding.UTF8.GetBytes(device)) >= 0) found.Add(key);
        }

        return found;
    }
}
