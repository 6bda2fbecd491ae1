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
    JobCatalog catalog, JobRunner runner, IJobStore store, IOptions<ColdPathOptions> options, TimeProvider time,
    ILogger<JobScheduler> log) : BackgroundService
{
    private const string Trigger = "schedule";

    private static readonly Dictionary<string, JsonElement> Defaults = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Scheduler) return;
        using var timer = new PeriodicTimer(options.Value.SchedulerInterval, time);
        do
        {
            foreach (var job in catalog.Jobs.Where(job => job.Schedule is not null))
            {
                try
                {
                    await ServeAsync(job, stoppingToken).ConfigureAwait(false);
                }
                catch (MillraceException e)
                {
                    // The store was away; the next look tries again.
                    log.ScheduleFailed(e, job.Name);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    /// <summary>Runs the job when it is due and nobody else does. One that is seen for the first time waits.</summary>
    internal async Task ServeAsync(JobDefinition job, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (await DueAsync(job, now, ct).ConfigureAwait(false) is null) return;
        await runner.TryAloneAsync(job.Name, async () =>
        {
            // Another process may have served it while this one waited for the lease.
            if (await DueAsync(job, now, ct).ConfigureAwait(false) is not { } due) return;
            foreach (var part in PartsOf(job, due.Since, due.At))
                await runner.RunAsync(job.Name, part, Defaults, Trigger, ct).ConfigureAwait(false);
            await store.SaveServedUpToAsync(job.Name, due.At, ct).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    /// <summary>A model is trained once, on what is the newest then.</summary>
    private static IEnumerable<TimePart> PartsOf(JobDefinition job, DateTimeOffset since, DateTimeOffset at)
    {
        var ended = TimePart.EndedWithin(job.Part!.Value, since - LookBack(job), at);
        return job.Model?.Does == ModelStep.Train ? ended.TakeLast(1) : ended;
    }

    /// <summary>The last time that the job was due and not served, and the first of these.</summary>
    private async Task<(DateTimeOffset Since, DateTimeOffset At)?> DueAsync(
        JobDefinition job, DateTimeOffset now, CancellationToken ct)
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
        return (first, last);
    }

    private static TimeSpan LookBack(JobDefinition job) =>
        DurationText.TryParse(job.Schedule!.LookBack, out var lookBack) ? lookBack : TimeSpan.Zero;
}
