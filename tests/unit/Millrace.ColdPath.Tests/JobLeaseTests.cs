using System.Net.Http.Json;
using Apache.Arrow;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.ColdPath.Api;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Hosting.Node;
using Millrace.Primitives;
using Millrace.Stores.Jobs;
using Millrace.TestKit;
using NUnit.Framework.Constraints;

namespace Millrace.ColdPath.Tests;

/// <summary>One runner at a time has a job, and one that lost it writes nothing any more.</summary>
public sealed class JobLeaseTests
{
    private const string Job = "endless";

    private static readonly TimePart Part = TimePart.Parse(JobPart.Day, "2026-11-22")!.Value;
    private static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private TemporaryFolder _folder = null!;
    private ColdPathHost _host = null!;
    private FaultyJobStore _store = null!;

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        JobFolders.Write(_folder, Job, JobFolders.Endless);
        _host = await ColdPathHost.StartAsync(new()
        {
            ["ColdPath:Scheduler"] = "false",
            ["ColdPath:LeaseDuration"] = "00:00:02",
            ["ColdPath:JobsFolder"] = _folder.Path,
        }, change: services =>
        {
            var inner = services.Last(service => service.ServiceType == typeof(IJobStore)).ImplementationFactory!;
            services.AddSingleton<IJobStore>(provider => new FaultyJobStore((IJobStore)inner(provider)));
        });
        _store = (FaultyJobStore)_host.Get<IJobStore>();
    }

    [TearDown]
    public async Task Stop()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_runner_whose_job_became_anothers_ends_its_work_and_says_so()
    {
        var running = await BeginAsync();
        var hasEnded = new TaskCompletionSource();
        var other = LaterRunner().TryAloneAsync(Job, _ => hasEnded.Task, default);

        Assert.That(async () => await running, LostTheJob);
        hasEnded.SetResult();

        Assert.That(await other, Is.True);
        await AssertStoppedAsync();
    }

    [Test]
    public async Task A_runner_that_cannot_renew_its_lease_ends_when_it_is_over_and_another_may_go_on()
    {
        var running = await BeginAsync();
        _store.IsAway = true;

        Assert.That(async () => await running, LostTheJob);
        await AssertStoppedAsync();
        _store.IsAway = false;
        await Eventually.TrueAsync(async () =>
            await _host.Get<JobLeases>().TryAloneAsync(Job, _ => Task.CompletedTask, default), "it is free");
    }

    [Test]
    public async Task What_a_runner_computed_is_not_kept_when_the_job_became_anothers_meanwhile()
    {
        var (hasWritten, goesOn) = (new TaskCompletionSource<JobLease>(), new TaskCompletionSource());
        var slow = _host.Get<JobLeases>().TryAloneAsync(Job, lease => ReplaceAsync("slow", async () =>
        {
            hasWritten.SetResult(lease);
            await goesOn.Task;
        }, lease), default);
        await await Task.WhenAny(slow, hasWritten.Task);
        var held = await hasWritten.Task;

        await LaterRunner().TryAloneAsync(Job, async lease =>
        {
            await ReplaceAsync("other", () => Task.CompletedTask, lease);
            await Eventually.TrueAsync(() => held.IsLost, "the first is told");
        }, default);
        goesOn.SetResult();

        Assert.That(async () => await slow, LostTheJob);
        var (_, rows) = await _host.PostAsync("/api/v1/cold/sql?format=csv",
            new { sql = $"SELECT runner FROM job_{Job}" });
        Assert.That(rows, Is.EqualTo("runner\r\nother\r\n"));
    }

    [Test]
    public async Task A_run_that_nobody_is_at_any_more_is_told_to_have_stopped()
    {
        await _store.SaveRunAsync(Killed("1", "2026-11-21"), TimeSpan.FromDays(30), default);
        await _store.SaveRunAsync(Killed("2", "2026-11-22"), TimeSpan.FromDays(30), default);
        await _store.TryLeaseAsync(
            $"job/{Job}", "another", TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1), default);
        Assert.That(await StatesAsync(), Is.EqualTo(new[] { JobRunState.Running, JobRunState.Stopped }),
            "one runs a job at a time");
        Assert.That(await FindAsync("2026-11-21"), Is.EqualTo(500));
        Assert.That(await FindAsync("2026-11-22"), Is.EqualTo(202));

        await _store.ReleaseAsync($"job/{Job}", "another", default);

        Assert.That(await StatesAsync(), Is.All.EqualTo(JobRunState.Stopped));
        Assert.That(await FindAsync("2026-11-22"), Is.EqualTo(500));
    }

    private static IResolveConstraint LostTheJob => Throws.InstanceOf<MillraceException>()
        .With.Property("Error").Property("Code").EqualTo("CP-0016");

    private static JobRun Killed(string id, string part) =>
        new(id, Job, part, "test", 1, "gone", JobRunState.Running, Day);

    /// <summary>A run that has begun, and does not end by itself.</summary>
    private async Task<Task<JobRun?>> BeginAsync()
    {
        var running = _host.Get<PartRuns>().StartAsync(
            Job, Part, ColdJobs.NoParameters, "test", TimeSpan.FromMinutes(1), default);
        await Eventually.TrueAsync(async () => (await _store.ListRunsAsync(Job, 1, default)).Count == 1, "it began");
        return running;
    }

    /// <summary>A runner of another process on the same store, an hour after the first one.</summary>
    private JobLeases LaterRunner()
    {
        var later = new ShiftedTime();
        later.Move(TimeSpan.FromHours(1));
        return new JobLeases(_store, _host.Get<IOptions<ColdPathOptions>>(), _host.Get<IOptions<NodeOptions>>(),
            _host.Get<ColdPathMetrics>(), later, NullLogger<JobLeases>.Instance);
    }

    private async Task ReplaceAsync(string runner, Func<Task> written, JobLease lease)
    {
        var query = new BatchQuery($"SELECT '{runner}' AS runner");
        Schema schema;
        await using (var rows = await _host.Engine.QueryAsync(query with { IsSchemaOnly = true }))
            schema = rows.Schema;
        await _host.Get<ResultTable>().ReplaceAsync(Job, Part, schema, async prefix =>
        {
            var files = await _host.Engine.WriteParquetAsync(query, new BatchOutput(prefix));
            await written();
            return files;
        }, lease.Token);
    }

    private async Task AssertStoppedAsync()
    {
        var run = (await _store.ListRunsAsync(Job, 10, default)).Single();
        Assert.That((run.State, run.EndedAt is null), Is.EqualTo((JobRunState.Stopped, false)));
        Assert.That(run.Error, Does.StartWith("CP-0016"));
        Assert.That(await _host.Objects.ListAsync("jobs/").CountAsync(found => found.Key.Contains("/part_day=")),
            Is.Zero);
    }

    private async Task<JobRunState[]> StatesAsync()
    {
        var list = await _host.Client.GetFromJsonAsync<ColdRunList>($"/api/v1/cold/jobs/{Job}/history");
        return [.. list!.Items.Select(run => run.State)];
    }

    private async Task<int> FindAsync(string part) =>
        (int)(await _host.Client.GetAsync($"/api/v1/cold/jobs/{Job}/parts/{part}/run")).StatusCode;
}
