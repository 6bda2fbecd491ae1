using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Models;
using Millrace.ColdPath.Runs;
using Millrace.Primitives;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Scheduling;

/// <summary>
/// Runs jobs when they are due. Any number of processes may do so: whoever has a job's lease runs it, and what was
/// served is in the store. Times that nobody was there for are made up for by one run over all their parts.
/// </summary>
internal sealed class JobScheduler(
    JobCatalog catalog, JobRunner runner, JobLeases leases, ArchiveReach reach, IJobStore store,
    IOptions<ColdPathOptions> options, ColdPathMetrics metrics, TimeProvider time, ILogger<JobScheduler> log)
    : BackgroundService
{
    private const string Trigger = "schedule";

    /// <summary>After so many the job itself seems to be broken, and the other parts wait for the next try.</summary>
    private const int FailedInARowMax = 3;

    private static readonly Dictionary<string, JsonElement> Defaults = [];

    private readonly ConcurrentDictionary<string, JobBacklog> _backlogs = new();
    private readonly SemaphoreSlim _places = new(options.Value.ScheduledJobsMax);

    public override void Dispose()
    {
        base.Dispose();
        _places.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.Scheduler
            ? Task.WhenAll(catalog.Jobs.Where(job => job.Schedule is not null)
                .Select(job => KeepAsync(job, stoppingToken)))
            : Task.CompletedTask;

    /// <summary>Serves the job for as long as the process runs; others need not wait for it.</summary>
    private async Task KeepAsync(JobDefinition job, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SchedulerInterval, time);
        do
        {
            try
            {
                await ServeAsync(job, stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // The store was away; the next look tries again.
                log.ScheduleFailed(e, job.Name);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    /// <summary>Runs the job when it is due and nobody else does. One that is seen for the first time waits.</summary>
    internal async Task ServeAsync(JobDefinition job, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var backlog = _backlogs.GetOrAdd(job.Name, _ => new JobBacklog());
        if (now < backlog.RetryAt || await DueAsync(job, now, ct).ConfigureAwait(false) is null) return;
        await _places.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await leases.TryAloneAsync(job.Name, async lease =>
            {
                // Another process may have served it while this one waited for the lease.
                if (await DueAsync(job, now, lease.Token).ConfigureAwait(false) is { } due)
                    await ServeAsync(job, due, backlog, lease).ConfigureAwait(false);
            }, ct).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>
    /// Makes the parts. When some could not be made, the schedule is served up to the first of these, and looked at
    /// again after a while.
    /// </summary>
    private async Task ServeAsync(JobDefinition job, DueTimes due, JobBacklog backlog, JobLease lease)
    {
        var parts = (await PartsAsync(job, due, lease.Token).ConfigureAwait(false))
            .FindAll(part => !backlog.IsMade(part, due));
        var failedInARow = 0;
        foreach (var part in backlog.InOrder(parts))
        {
            var run = await runner.RunAsync(lease, job.Name, part, Defaults, Trigger).ConfigureAwait(false);
            backlog.Add(part, due, run.State == JobRunState.Succeeded);
            failedInARow = run.State == JobRunState.Succeeded ? 0 : failedInARow + 1;
            if (failedInARow == FailedInARowMax) break;
        }

        var missing = parts.Where(part => !backlog.IsMade(part, due)).ToList();
        var served = missing.Count == 0 ? due.Last : due.ServedBefore(missing[0]);
        await store.SaveServedUpToAsync(job.Name, served, lease.Token).ConfigureAwait(false);
        if (missing.Count == 0)
        {
            _backlogs.TryRemove(job.Name, out _);
            return;
        }

        var delay = backlog.Defer(time.GetUtcNow(), options.Value);
        log.ScheduleBehind(job.Name, missing.Count, missing[0].Name, delay);
    }

    /// <summary>Those that are due, without those whose telemetry went for its age: these stay as they are.</summary>
    private async Task<List<TimePart>> PartsAsync(JobDefinition job, DueTimes due, CancellationToken ct)
    {
        var parts = PartsOf(job, due.First, due.Last).ToList();
        var begin = await reach.BeginOfAsync(job, ct).ConfigureAwait(false);
        var gone = parts.FindAll(part => part.From < begin);
        if (gone.Count == 0) return parts;
        metrics.PartsGone(job.Name, gone.Count);
        log.PartsGone(gone.Count, job.Name, gone[0].Name);
        return [.. parts.Except(gone)];
    }

    /// <summary>A model is trained once, on what is the newest then.</summary>
    private static IEnumerable<TimePart> PartsOf(JobDefinition job, DateTimeOffset since, DateTimeOffset at)
    {
        var ended = TimePart.EndedWithin(job.Part!.Value, since - LookBack(job), at);
        return job.Model?.Does == ModelStep.Train ? ended.TakeLast(1) : ended;
    }

    /// <summary>The times that the job was due and not served.</summary>
    private async Task<DueTimes?> DueAsync(JobDefinition job, DateTimeOffset now, CancellationToken ct)
    {
        if (!CronSchedule.TryParse(job.Schedule!.Cron, out var cron, out _)) return null;
        if (await store.ServedUpToAsync(job.Name, ct).ConfigureAwait(false) is not { } served)
        {
            await store.SaveServedUpToAsync(job.Name, now, ct).ConfigureAwait(false);
            return null;
        }

        if (cron.Next(served) is not { } first || first > now) return null;
        var last = first;
        while (cron.Next(last) is { } next && next <= now) last = next;
        return new DueTimes(cron, LookBack(job), served, first, last);
    }

    private static TimeSpan LookBack(JobDefinition job) =>
        DurationText.TryParse(job.Schedule!.LookBack, out var lookBack) ? lookBack : TimeSpan.Zero;
}
