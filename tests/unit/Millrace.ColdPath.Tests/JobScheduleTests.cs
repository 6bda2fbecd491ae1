using Microsoft.Extensions.Time.Testing;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.ColdPath.Scheduling;
using Millrace.Stores.Jobs;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Jobs that run by themselves.</summary>
public sealed class JobScheduleTests
{
    private const string Job = "fleet-activity-by-day";

    private static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task A_schedule_makes_the_parts_that_ended_and_makes_up_for_times_that_were_missed()
    {
        var clock = new FakeTimeProvider(Day.AddHours(12));
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" }, clock);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get(Job));
        async Task<string[]> ServeAtAsync(DateTimeOffset now)
        {
            clock.SetUtcNow(now);
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
        JobFolders.Write(folder, "fragile", """
            SELECT CAST($from AS TIMESTAMPTZ) AS since, CAST(CASE
              WHEN CAST($from AS TIMESTAMPTZ) < '2026-11-23T00:00:00Z' AND (SELECT count(*) FROM job_cure) = 0 THEN 'x'
              ELSE '1' END AS BIGINT) AS n WHERE $from < $to
            """, "15 0 * * *");
        JobFolders.Write(folder, "cure",
            "SELECT device_id FROM telemetry WHERE enqueued_at >= $from AND enqueued_at < $to");
        var clock = new FakeTimeProvider(Day.AddHours(12));
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
            clock.SetUtcNow(now);
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
        JobFolders.Write(folder, "a-long-one", JobFolders.Endless, "* * * * *");
        JobFolders.Write(folder, "short", "SELECT CAST(1 AS BIGINT) AS n WHERE $from < $to", "* * * * *");
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
        var clock = new FakeTimeProvider(Day);
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:Scheduler"] = "false" }, clock);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get(Job));
        await scheduler.ServeAsync(job, CancellationToken.None);
        clock.SetUtcNow(Day.AddHours(25));

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => scheduler.ServeAsync(job, CancellationToken.None)));

        Assert.That((await host.Get<IJobStore>().ListRunsAsync(Job, 100)).Select(run => run.Part),
            Is.EquivalentTo(new[] { "2026-11-21", "2026-11-22" }));
    }
}
