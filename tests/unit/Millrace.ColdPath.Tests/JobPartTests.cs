using System.Net.Http.Json;
using System.Text.Json;
using Millrace.ColdPath.Api;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Stores.Jobs;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Results that are kept by parts of the time.</summary>
public sealed class JobPartTests
{
    private const string Job = "fleet-activity-by-day";
    private const string Parts = $"/api/v1/cold/jobs/{Job}/parts";

    private static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private ColdPathHost _host = null!;

    [SetUp]
    public async Task Start()
    {
        _host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" });
        await using var table = await Readings.OpenAsync(_host);
        await table.ArchiveAsync("2026-11-22", 10, "d-1", [1, 2, 3]);
        await table.ArchiveAsync("2026-11-23", 0, "d-2", [100]);
    }

    [TearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [Test]
    public async Task A_range_has_its_parts()
    {
        var list = await _host.Client.GetFromJsonAsync<ColdPartList>(
            $"{Parts}?from=2026-11-22T05:00:00Z&to=2026-11-24T00:00:00Z");

        Assert.That(list!.Parts, Is.EqualTo(new[] { "2026-11-22", "2026-11-23" }));
        var empty = await _host.Client.GetAsync($"{Parts}?from=2026-11-24T00:00:00Z&to=2026-11-22T00:00:00Z");
        Assert.That(await empty.Content.ReadAsStringAsync(), Does.Contain("CP-0010"));
    }

    [Test]
    public async Task A_part_is_made_and_a_run_again_replaces_it()
    {
        var run = await RunAsync("2026-11-22");
        Assert.That((run.State, run.Rows, run.Part, run.Attempt),
            Is.EqualTo((JobRunState.Succeeded, 1L, "2026-11-22", 1)));
        await RunAsync("2026-11-23");
        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "2026-11-22,1,3", "2026-11-23,1,1" }));

        await using (var table = await Readings.OpenAsync(_host))
            await table.ArchiveAsync("2026-11-22", 11, "d-3", [4, 5]);
        await RunAsync("2026-11-22");

        Assert.That(await RowsAsync(), Is.EqualTo(new[] { "2026-11-22,2,5", "2026-11-23,1,1" }));
    }

    [Test]
    public async Task A_gap_over_midnight_is_one_of_the_day_in_which_it_ends()
    {
        await using (var table = await Readings.OpenAsync(_host))
        {
            await table.ArchiveAsync("2026-11-22", 23, "d-9", [1]);
            await table.ArchiveAsync("2026-11-23", 1, "d-9", [1, 1]);
        }

        foreach (var day in new[] { "2026-11-22", "2026-11-23" })
        {
            var (made, answer) = await _host.PostAsync($"/api/v1/cold/jobs/data-quality/parts/{day}/run", new { });
            Assert.That(made, Is.EqualTo(200), answer);
        }

        var (_, rows) = await _host.PostAsync("/api/v1/cold/sql?format=csv", new
        {
            sql = "SELECT part_day, messages, gaps, CAST(longest_gap_seconds AS BIGINT) AS gap, duplicates "
                + "FROM job_data_quality WHERE device_id = 'd-9' ORDER BY part_day",
        });
        Assert.That(rows, Is.EqualTo("part_day,messages,gaps,gap,duplicates\r\n2026-11-22,1,0,,0\r\n"
            + "2026-11-23,2,1,7200,1\r\n"));
    }

    [Test]
    public async Task Exported_results_go_when_they_are_old()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:ResultRetention"] = "30d" }, time);
        await host.PostAsync("/api/v1/cold/sql", new { sql = "SELECT 1 AS a", output = "parquet" });
        async Task<int> SweepAsync(int days)
        {
            time.Move(TimeSpan.FromDays(days));
            await host.Get<ResultRetention>().SweepAsync(CancellationToken.None);
            return await host.Objects.ListAsync("results/").CountAsync();
        }

        Assert.That(await SweepAsync(29), Is.EqualTo(1));
        Assert.That(await SweepAsync(2), Is.Zero);
    }

    [Test]
    public async Task Files_that_were_replaced_go_when_nobody_may_need_them()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:Scheduler"] = "false",
            ["ColdPath:VacuumInterval"] = "1h",
            ["Delta:CheckpointInterval"] = "2",
        }, time);
        foreach (var moved in new[] { TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromDays(8) })
        {
            time.Move(moved);
            var run = await host.Get<JobRunner>().RunAsync(
                Job, TimePart.Of(JobPart.Day, Day), ColdJobs.NoParameters, "test", CancellationToken.None);
            Assert.That(run.Error, Is.Null);
        }

        var keys = await host.Objects.ListAsync("jobs/").Select(found => found.Key).ToListAsync();
        Assert.That(keys.Count(key => key.Contains("/part_day=")), Is.EqualTo(2), "of the first run nothing is left");
        Assert.That(keys, Has.Some.EndsWith(".checkpoint.parquet"));
    }

    [Test]
    public async Task History_tells_of_each_attempt_and_why_it_failed()
    {
        using var folder = new TemporaryFolder();
        JobFolders.Write(folder, "broken", "SELECT CAST('x' AS BIGINT) AS n WHERE $from < $to");
        await using var host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:JobsFolder"] = folder.Path,
            ["ColdPath:RetryDelay"] = "00:00:00.001",
        });

        var (status, body) = await host.PostAsync("/api/v1/cold/jobs/broken/parts/2026-11-22/run", new { });
        var runs = (await host.Client.GetFromJsonAsync<ColdRunList>("/api/v1/cold/jobs/broken/history"))!.Items;

        Assert.That((status, body.Contains("CP-0013")), Is.EqualTo((500, true)), body);
        Assert.That(runs.Select(run => (run.Attempt, run.State)), Is.EqualTo(new[]
        {
            (3, JobRunState.Failed), (2, JobRunState.Failed), (1, JobRunState.Failed),
        }));
        Assert.That(runs.Select(run => run.Error), Is.All.StartsWith("BA-0001"));
    }

    [Test]
    public async Task While_one_runs_a_job_another_is_told_so()
    {
        var store = _host.Get<IJobStore>();
        await store.TryLeaseAsync($"job/{Job}", "another", TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));

        var (status, body) = await _host.PostAsync($"{Parts}/2026-11-22/run", new { });
        await store.ReleaseAsync($"job/{Job}", "another");

        Assert.That((status, body.Contains("CP-0008")), Is.EqualTo((409, true)), body);
        Assert.That((await RunAsync("2026-11-22")).State, Is.EqualTo(JobRunState.Succeeded));
    }

    [Test]
    public async Task A_run_goes_on_when_nobody_waits_for_it_and_tells_how_it_stands()
    {
        using var folder = new TemporaryFolder();
        JobFolders.Write(folder, "endless", JobFolders.Endless);
        JobFolders.Write(folder, "slow", "SELECT max(i * j % 7) AS m FROM range(20000) AS a(i), range(4000) AS b(j) "
            + "WHERE $from < $to");
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:JobsFolder"] = folder.Path });
        async Task<(int Status, JobRunState State)> GetAsync(string job, int wait)
        {
            var answer = await host.Client.GetAsync($"/api/v1/cold/jobs/{job}/parts/2026-11-22/run?wait={wait}");
            var text = await answer.Content.ReadAsStringAsync();
            return ((int)answer.StatusCode,
                JsonSerializer.Deserialize<JobRun>(text, JsonSerializerOptions.Web)!.State);
        }

        Assert.That((await host.Client.GetAsync("/api/v1/cold/jobs/slow/parts/2026-11-22/run")).StatusCode,
            Is.EqualTo(System.Net.HttpStatusCode.NotFound));
        Assert.That((await host.PostAsync("/api/v1/cold/jobs/slow/parts/2026-11-22/run?wait=0", new { })).Status,
            Is.EqualTo(202).Or.EqualTo(200), "this one ends, perhaps at once");
        Assert.That(await GetAsync("slow", 60), Is.EqualTo((200, JobRunState.Succeeded)));

        Assert.That((await host.PostAsync("/api/v1/cold/jobs/endless/parts/2026-11-22/run?wait=0", new { })).Status,
            Is.EqualTo(202));
        Assert.That(await GetAsync("endless", 1), Is.EqualTo((202, JobRunState.Running)));
        Assert.That((await host.PostAsync("/api/v1/cold/jobs/endless/parts/2026-11-22/run?wait=0", new { })).Status,
            Is.EqualTo(409), "one runs it");
        await host.Get<PartRuns>().StopAsync(CancellationToken.None);
        var left = (await host.Get<IJobStore>().ListRunsAsync("endless", 1))[0];
        Assert.That(left.State, Is.EqualTo(JobRunState.Stopped));
    }

    [TestCase("/api/v1/cold/jobs/no-such/parts/2026-11-22/run", 404, "CP-0001")]
    [TestCase($"{Parts}/yesterday/run", 400, "CP-0006")]
    [TestCase($"{Parts}/2026-11-22T03/run", 400, "CP-0006")]
    public async Task What_is_no_part_is_told(string path, int status, string code)
    {
        var (found, body) = await _host.PostAsync(path, new { });
        Assert.That((found, body.Contains(code)), Is.EqualTo((status, true)), body);
    }

    [Test]
    public async Task Making_a_part_needs_the_right_to_operate_and_reading_does_not()
    {
        await RunAsync("2026-11-22");
        _host.As("read");

        var (status, _) = await _host.PostAsync($"{Parts}/2026-11-22/run", new { });
        Assert.That(status, Is.EqualTo(403));
        Assert.That(await RowsAsync(), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_kept_object_is_read_by_its_key_and_nothing_else_is()
    {
        var (_, body) = await _host.PostAsync("/api/v1/cold/sql", new { sql = "SELECT 1 AS a", output = "parquet" });
        var written = JsonSerializer.Deserialize<ColdJobWritten>(body, JsonSerializerOptions.Web)!;

        var bytes = await _host.Client.GetByteArrayAsync($"/api/v1/cold/objects/{written.Keys[0]}");
        Assert.That(bytes, Has.Length.EqualTo(written.Bytes));
        string[] others = ["results/none", "telemetry/_delta_log/00000000000000000000.json", "results/..%2Fx"];
        foreach (var key in others)
            Assert.That((int)(await _host.Client.GetAsync($"/api/v1/cold/objects/{key}")).StatusCode, Is.EqualTo(404));
    }

    private async Task<JobRun> RunAsync(string part)
    {
        var (status, body) = await _host.PostAsync($"{Parts}/{part}/run", new { });
        Assert.That(status, Is.EqualTo(200), body);
        return JsonSerializer.Deserialize<JobRun>(body, JsonSerializerOptions.Web)!;
    }

    private async Task<string[]> RowsAsync()
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/sql?format=csv",
            new { sql = "SELECT part_day, devices, messages FROM job_fleet_activity_by_day ORDER BY part_day" });
        Assert.That(status, Is.EqualTo(200), body);
        return [.. body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1)];
    }
}
