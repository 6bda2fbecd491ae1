using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.ColdPath.Api;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.ColdPath.Scheduling;
using Millrace.Delta;
using Millrace.Primitives;
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
    public async Task What_is_read_is_as_new_as_the_options_of_the_table_say()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(ShortLived(), time);
        async Task<string> PartsAsync() => (await host.PostAsync("/api/v1/cold/sql?format=csv", new
        {
            sql = "SELECT part_day, count(*) AS n FROM job_fleet_activity_by_day GROUP BY part_day ORDER BY part_day",
        })).Body;
        async Task MakeAsync(int day, int rows) => await host.Get<ResultTable>().ReplaceAsync(
            Job, TimePart.Of(JobPart.Day, Day.AddDays(day)), new BatchQuery($"SELECT i FROM range({rows}) AS r(i)"),
            default);
        await MakeAsync(0, 1);
        Assert.That(await PartsAsync(), Is.EqualTo("part_day,n\r\n2026-11-22,1\r\n"));

        // The entries behind the one that was read go before it is read on.
        await MakeAsync(1, 2);
        await MakeAsync(0, 3);
        time.Move(TimeSpan.FromHours(37));
        await host.Get<ResultUpkeep>().KeepAsync(Job, default);

        Assert.That(await PartsAsync(), Is.EqualTo("part_day,n\r\n2026-11-22,3\r\n2026-11-23,2\r\n"));
    }

    [Test]
    public async Task Files_that_vacuum_may_have_deleted_are_not_committed()
    {
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(ShortLived(), time);
        var query = new BatchQuery("SELECT CAST(1 AS BIGINT) AS one");
        await using var rows = await host.Engine.QueryAsync(query);

        Assert.That(async () => await host.Get<ResultTable>().ReplaceAsync(
            Job, TimePart.Of(JobPart.Day, Day), rows.Schema, async prefix =>
            {
                var written = await host.Engine.WriteParquetAsync(query, new BatchOutput(prefix));
                time.Move(TimeSpan.FromHours(13));
                return written;
            }, default),
            Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo("CP-0012"));
    }

    [Test]
    public async Task Two_that_make_the_same_part_at_once_leave_one()
    {
        var results = _host.Get<ResultTable>();
        var query = new BatchQuery("SELECT CAST(1 AS BIGINT) AS one");
        var part = TimePart.Of(JobPart.Day, Day);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ =>
            results.ReplaceAsync(Job, part, query, CancellationToken.None)));

        using var delta = new DeltaTable(_host.Objects, BatchTable.OfJob(Job).Root, TimeProvider.System);
        var snapshot = (await delta.RefreshAsync())!;
        Assert.That(snapshot.Files, Has.Count.EqualTo(1));
        Assert.That(snapshot.PositionOf("part/2026-11-22"), Is.EqualTo(6));
    }

    [Test]
    public async Task A_job_may_get_columns_and_what_was_kept_before_has_none_in_them()
    {
        var results = _host.Get<ResultTable>();
        await results.ReplaceAsync(Job, TimePart.Of(JobPart.Day, Day), new BatchQuery("SELECT CAST(1 AS BIGINT) AS a"),
            CancellationToken.None);
        await results.ReplaceAsync(Job, TimePart.Of(JobPart.Day, Day.AddDays(1)),
            new BatchQuery("SELECT CAST(2 AS BIGINT) AS a, 'x' AS b"), CancellationToken.None);

        var (status, body) = await _host.PostAsync("/api/v1/cold/sql?format=csv",
            new { sql = "SELECT a, b FROM job_fleet_activity_by_day ORDER BY a" });
        Assert.That((status, body), Is.EqualTo((200, "a,b\r\n1,\r\n2,x\r\n")));
    }

    [Test]
    public async Task History_tells_of_each_attempt_and_why_it_failed()
    {
        using var folder = new TemporaryFolder();
        WriteJob(folder, "broken", "SELECT CAST('x' AS BIGINT) AS n WHERE $from < $to");
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
    public async Task A_schedule_makes_the_parts_that_ended_and_makes_up_for_times_that_were_missed()
    {
        var clock = new Clock { Now = Day.AddHours(12) };
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" }, clock);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get(Job));
        async Task<string[]> ServeAtAsync(DateTimeOffset now)
        {
            clock.Now = now;
            var before = (await host.Get<IJobStore>().ListRunsAsync(Job, 100)).Select(run => run.Id).ToHashSet();
            await scheduler.ServeAsync(job, CancellationToken.None);
            return [.. (await host.Get<IJobStore>().ListRunsAsync(Job, 100)).Where(run => !before.Contains(run.Id))
                .OrderBy(run => run.Part).Select(run => run.Part)];
        }

        Assert.That(await ServeAtAsync(Day.AddHours(12)), Is.Empty, "seen for the first time");
        Assert.That(await ServeAtAsync(Day.AddHours(23)), Is.Empty, "not due");
        Assert.That(await ServeAtAsync(Day.AddHours(24.5)), Is.EqualTo(new[] { "2026-11-22" }));
        Assert.That(await ServeAtAsync(Day.AddHours(25)), Is.Empty, "served");
        Assert.That(await ServeAtAsync(Day.AddHours(24 * 4 + 1)),
            Is.EqualTo(new[] { "2026-11-23", "2026-11-24", "2026-11-25" }));
    }

    [Test]
    public async Task A_scheduled_part_that_failed_is_made_later_and_the_others_are_not_made_again()
    {
        using var folder = new TemporaryFolder();
        WriteJob(folder, "fragile", """
            SELECT CAST($from AS TIMESTAMPTZ) AS since, CAST(CASE
              WHEN CAST($from AS TIMESTAMPTZ) < '2026-11-23T00:00:00Z' AND (SELECT count(*) FROM job_cure) = 0 THEN 'x'
              ELSE '1' END AS BIGINT) AS n WHERE $from < $to
            """, "15 0 * * *");
        WriteJob(folder, "cure", "SELECT device_id FROM telemetry WHERE enqueued_at >= $from AND enqueued_at < $to");
        var clock = new Clock { Now = Day.AddHours(12) };
        await using var host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:Scheduler"] = "false",
            ["ColdPath:JobsFolder"] = folder.Path,
            ["ColdPath:RunAttemptsMax"] = "1",
        }, clock);
        await using (var table = await Readings.OpenAsync(host)) await table.ArchiveAsync("2026-11-20", 10, "d-1", [1]);
        Task CureAsync(DateTimeOffset day) => host.Get<JobRunner>().RunAsync(
            "cure", TimePart.Of(JobPart.Day, day), ColdJobs.NoParameters, "test", default);
        await CureAsync(Day);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get("fragile"));
        async Task<string[]> ServeAtAsync(DateTimeOffset now)
        {
            clock.Now = now;
            var before = (await host.Get<IJobStore>().ListRunsAsync("fragile", 100)).Select(run => run.Id).ToHashSet();
            await scheduler.ServeAsync(job, CancellationToken.None);
            return [.. (await host.Get<IJobStore>().ListRunsAsync("fragile", 100))
                .Where(run => !before.Contains(run.Id)).Select(run => $"{run.Part} {run.State}").Order()];
        }

        Assert.That(await ServeAtAsync(Day.AddHours(12)), Is.Empty, "seen for the first time");
        var due = Day.AddHours(48.5);
        Assert.That(await ServeAtAsync(due), Is.EqualTo(new[] { "2026-11-22 Failed", "2026-11-23 Succeeded" }));
        Assert.That(await ServeAtAsync(due.AddSeconds(50)), Is.Empty, "left alone for a while");
        Assert.That(await ServeAtAsync(due.AddSeconds(70)), Is.EqualTo(new[] { "2026-11-22 Failed" }));
        Assert.That(await ServeAtAsync(due.AddSeconds(140)), Is.Empty, "for longer");

        await CureAsync(Day.AddDays(-2));
        Assert.That(await ServeAtAsync(due.AddDays(1)),
            Is.EqualTo(new[] { "2026-11-22 Succeeded", "2026-11-24 Succeeded" }));
        Assert.That(await ServeAtAsync(due.AddDays(1).AddHours(1)), Is.Empty, "served");
    }

    [Test]
    public async Task A_job_that_takes_long_keeps_no_other_from_being_served()
    {
        using var folder = new TemporaryFolder();
        WriteJob(folder, "a-long-one",
            "SELECT max(i * j) AS m FROM range(10000000000) AS a(i), range(1000) AS b(j) WHERE $from < $to",
            "* * * * *");
        WriteJob(folder, "short", "SELECT CAST(1 AS BIGINT) AS n WHERE $from < $to", "* * * * *");
        var time = new ShiftedTime();
        await using var host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:JobsFolder"] = folder.Path,
            ["ColdPath:SchedulerInterval"] = "00:00:00.050",
        }, time);
        var store = host.Get<IJobStore>();
        foreach (var job in new[] { "a-long-one", "short" })
            await Eventually.TrueAsync(async () => await store.ServedUpToAsync(job) is not null, job);

        time.Move(TimeSpan.FromDays(1));

        await Eventually.TrueAsync(async () =>
            (await store.ListRunsAsync("a-long-one", 1)).Count == 1
            && (await store.ListRunsAsync("short", 1)).Any(run => run.State == JobRunState.Succeeded), "both");
    }

    [Test]
    public async Task Of_many_schedulers_one_runs_a_job()
    {
        var clock = new Clock { Now = Day };
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" }, clock);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get(Job));
        await scheduler.ServeAsync(job, CancellationToken.None);
        clock.Now = Day.AddHours(25);

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => scheduler.ServeAsync(job, CancellationToken.None)));

        Assert.That((await host.Get<IJobStore>().ListRunsAsync(Job, 100)).Select(run => run.Part),
            Is.EquivalentTo(new[] { "2026-11-21", "2026-11-22" }));
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

    private static void WriteJob(TemporaryFolder folder, string name, string sql, string? cron = null)
    {
        var job = Directory.CreateDirectory(folder.Sub(name)).FullName;
        File.WriteAllText(Path.Combine(job, "job.sql"), sql);
        var schedule = cron is null ? "" : $$"""
            "schedule":{"cron":"{{cron}}","lookBack":"1d"},
            """;
        File.WriteAllText(Path.Combine(job, "job.json"), $$"""
            {"description":"x","part":"day",{{schedule}}"parameters":[
              {"name":"from","type":"timestamp","description":"y"},{"name":"to","type":"timestamp","description":"z"}]}
            """);
    }

    private static Dictionary<string, string?> ShortLived() => new()
    {
        ["ColdPath:Scheduler"] = "false",
        ["Delta:VacuumSafeAge"] = "1d",
        ["Delta:LogRetention"] = "1d",
        ["Delta:CheckpointInterval"] = "2",
    };

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

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
