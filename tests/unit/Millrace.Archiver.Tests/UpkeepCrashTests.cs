using Millrace.Archiver.Upkeep;
using Millrace.Delta.Schema;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>Who merges or erases dies at each of its writes, and no row changes that should not.</summary>
public sealed class UpkeepCrashTests
{
    private const long At = 1_764_000_000_000;
    private const string Device = "device-3";

    private readonly Dictionary<string, byte[]> _before = [];
    private ArchiverHarness _archive = null!;
    private List<string> _kept = null!;

    private ArchiveTable Telemetry => _archive.Get<ArchiveTables>().Telemetry;

    [SetUp]
    public async Task Make()
    {
        _archive = await new ArchiverHarness().With("RollRows", "20").With("Upkeep:CompactionFilesMin", "2")
            .With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();
        await _archive.StartAsync();
        var random = new Random(1);
        for (var i = 0; i < 120; i++)
            await _archive.SendAsync($"device-{random.Next(9)}", (At + random.Next(7_200_000), $"{i}"));
        await _archive.CaughtUpAsync();
        using var job = new JobHarness(_archive, "devices", new DeltaSchema([new("device_id", DeltaType.String)]));
        await job.RunAsync("2026-11-22", "SELECT DISTINCT device_id FROM telemetry", TimeProvider.System.GetUtcNow());
        _kept = await RowsAsync($"device_id <> '{Device}'");
        await StopBeforeAsync();
    }

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task Dying_at_any_write_of_a_merge_changes_no_row()
    {
        var writes = await WritesAsync(WriteFault.None, 0, MergeAsync);
        Assert.That(writes, Is.GreaterThanOrEqualTo(4), "two hours, of each a file and a commit");
        foreach (var (fault, write) in Deaths(writes))
        {
            await RestoreAsync();
            await WritesAsync(fault, write, MergeAsync);
            Assert.That(await RowsAsync($"device_id <> '{Device}'"), Is.EqualTo(_kept), $"{fault} {write}");
            await _archive.StartAsync();
            await ArchiveChecks.HoldsAsync(_archive);
            await _archive.StopAsync();
        }
    }

    [Test]
    public async Task Dying_at_any_write_of_an_erasure_changes_no_row_of_another_device_and_it_ends_the_next_time()
    {
        // An hour is a file then, and the erasure has no more steps than it has kinds of them.
        await _archive.StartAsync();
        await MergeAsync();
        await StopBeforeAsync();
        var writes = await WritesAsync(WriteFault.None, 0, EraseAsync);
        Assert.That(writes, Is.GreaterThanOrEqualTo(15),
            "of telemetry's two hours and of a job: three files, six commits, two checkpoints and what names them");
        foreach (var (fault, write) in Deaths(writes))
        {
            await RestoreAsync();
            await WritesAsync(fault, write, EraseAsync);
            Assert.That(await RowsAsync($"device_id <> '{Device}'"), Is.EqualTo(_kept), $"{fault} {write}");
            await _archive.StartAsync();
            await ArchiveChecks.HoldsAsync(_archive);
            await EraseAsync();
            Assert.That(await RowsAsync("true"), Is.EqualTo(_kept), $"{fault} {write}");
            Assert.That(await _archive.SqlAsync("SELECT * FROM job_devices"), Has.Count.EqualTo(8), $"{fault} {write}");
            await ArchiveChecks.HoldsAsync(_archive);
            var proof = await _archive.Get<DeviceProver>().ProveAsync(Device, CancellationToken.None);
            Assert.That(proof.Unproven, Is.Empty);
            await _archive.StopAsync();
        }
    }

    /// <summary>
    /// What a death can leave is what is there before each write, and after the last: after another it is the same as
    /// before the next.
    /// </summary>
    private static IEnumerable<(WriteFault Fault, int Write)> Deaths(int writes) => Enumerable.Range(1, writes)
        .Select(write => (WriteFault.CrashBefore, write)).Append((WriteFault.CrashAfter, writes));

    /// <summary>How many writes the work has; at one of them its process dies.</summary>
    private async Task<int> WritesAsync(WriteFault fault, int write, Func<Task> work)
    {
        var writes = 0;
        var dying = new FaultyObjectStore(
            _archive.Objects, _ => Interlocked.Increment(ref writes) == write ? fault : WriteFault.None);
        await _archive.StartAsync(dying);
        try
        {
            await work();
        }
        catch (CrashedException)
        {
            // As it should be; a checkpoint's end is nobody's who committed.
        }

        Assert.That(dying.Crashed.IsCompleted, Is.EqualTo(write > 0), $"{fault} {write}");
        await _archive.StopAsync();
        return writes;
    }

    /// <summary>What all objects are now is how they are before the work.</summary>
    private async Task StopBeforeAsync()
    {
        await _archive.StopAsync();
        _before.Clear();
        await foreach (var info in _archive.Objects.ListAsync(""))
            _before.Add(info.Key, (await _archive.Objects.GetAsync(info.Key))!);
    }

    /// <summary>All objects as they were before the work, and no others.</summary>
    private async Task RestoreAsync()
    {
        var now = await _archive.Objects.ListAsync("").Select(info => info.Key).ToListAsync();
        foreach (var key in now.Where(key => !_before.ContainsKey(key))) await _archive.Objects.DeleteAsync(key);
        foreach (var (key, content) in _before)
        {
            if (!(await _archive.Objects.GetAsync(key)).AsSpan().SequenceEqual(content))
                await _archive.Objects.PutAsync(key, content);
        }
    }

    private async Task MergeAsync()
    {
        while ((await _archive.Get<Compactor>().RunOnceAsync(Telemetry, all: true, CancellationToken.None)).Done)
        {
            // Until nothing is left to merge.
        }
    }

    private async Task EraseAsync() =>
        await _archive.Get<DeviceErasure>().RunAsync(Device, CancellationToken.None);

    private Task<List<string>> RowsAsync(string where) => _archive.SqlAsync(
        $"SELECT * FROM telemetry WHERE {where} ORDER BY log_partition, log_offset");
}
