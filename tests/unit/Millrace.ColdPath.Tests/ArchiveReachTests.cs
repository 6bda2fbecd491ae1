using Microsoft.Extensions.Time.Testing;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Scheduling;
using Millrace.Delta;
using Millrace.Stores.Jobs;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Results whose telemetry went for its age are not replaced by nothing.</summary>
public sealed class ArchiveReachTests
{
    private const string Job = "fleet-activity-by-day";

    private static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Day.AddHours(30));
    private TemporaryFolder _folder = null!;
    private ColdPathHost _host = null!;

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        JobFolders.Write(_folder, "copy", "SELECT day, messages FROM job_fleet_activity_by_day WHERE $from < $to");
        _host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:Scheduler"] = "false",
            ["ColdPath:JobsFolder"] = _folder.Path,
        }, _clock);
        await using var table = await Readings.OpenAsync(_host);
        await table.ArchiveAsync("2026-11-22", 10, "d-1", [1, 2, 3]);
    }

    [TearDown]
    public async Task Stop()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_part_of_which_telemetry_went_is_made_anew_only_when_forced()
    {
        Assert.That(await RunAsync(Job, "2026-11-22"), Is.EqualTo(200));
        await RetireAsync(Day.AddHours(11));

        Assert.That(await RunAsync(Job, "2026-11-22"), Is.EqualTo(409));
        Assert.That(await RunAsync(Job, "2026-11-23"), Is.EqualTo(200), "it begins after that");
        Assert.That(await RunAsync("copy", "2026-11-22"), Is.EqualTo(200), "it is not made of telemetry");
        Assert.That(await RowsAsync(), Is.EqualTo("part_day,messages\r\n2026-11-22,3\r\n"));

        Assert.That(await RunAsync(Job, "2026-11-22", force: true), Is.EqualTo(200));
        Assert.That(await RowsAsync(), Is.EqualTo("part_day,messages\r\n"));
    }

    [Test]
    public async Task A_schedule_passes_over_such_a_part_and_is_served()
    {
        var (scheduler, store) = (_host.Get<JobScheduler>(), _host.Get<IJobStore>());
        var job = _host.Get<JobCatalog>().Get(Job);
        await scheduler.ServeAsync(job, CancellationToken.None);
        await RetireAsync(Day.AddHours(25));
        _clock.SetUtcNow(Day.AddDays(3).AddHours(1));

        await scheduler.ServeAsync(job, CancellationToken.None);

        Assert.That((await store.ListRunsAsync(Job, 10)).Select(run => run.Part), Is.EqualTo(new[] { "2026-11-24" }));
        Assert.That(await store.ServedUpToAsync(Job), Is.EqualTo(Day.AddDays(3).AddMinutes(15)));
    }

    /// <summary>What the archiver does to telemetry of before that time.</summary>
    private async Task RetireAsync(DateTimeOffset before)
    {
        using var table = new DeltaTable(_host.Objects, TelemetryTable.Root, TimeProvider.System);
        var files = (await table.RefreshAsync())!.Files.Values;
        await table.CommitAsync(new DeltaCommit
        {
            Id = "retention",
            Operation = "DELETE",
            Removes = [.. files.Select(file => new Delta.Log.RemoveFile(file.Path, 0, DataChange: true))],
            Moves = [new PositionMove("retention/telemetry", null, before.ToUnixTimeMilliseconds())],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
    }

    private async Task<int> RunAsync(string job, string part, bool force = false)
    {
        var (status, body) = await _host.PostAsync($"/api/v1/cold/jobs/{job}/parts/{part}/run", new { force });
        if (status == 409) Assert.That(body, Does.Contain("CP-0017").And.Contain("2026-11-22 11:00:00Z"));
        return status;
    }

    private async Task<string> RowsAsync() => (await _host.PostAsync("/api/v1/cold/sql?format=csv", new
    {
        sql = "SELECT part_day, messages FROM job_fleet_activity_by_day ORDER BY part_day",
    })).Body;
}
