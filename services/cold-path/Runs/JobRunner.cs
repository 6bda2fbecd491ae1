using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Models;
using Millrace.Hosting.Node;
using Millrace.Primitives;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Runs;

/// <summary>
/// Makes parts of jobs' results anew, and keeps what became of it. One process at a time works on a job; should two,
/// the table's commits keep the results right.
/// </summary>
internal sealed class JobRunner(
    JobCatalog catalog, ColdJobs jobs, ResultTable results, ResultUpkeep upkeep, ModelJobs models, IJobStore store,
    IOptions<ColdPathOptions> options, IOptions<NodeOptions> node, ColdPathMetrics metrics, TimeProvider time,
    ILogger<JobRunner> log)
{
    private readonly ColdPathOptions _options = options.Value;

    /// <summary>This process, and this start of it.</summary>
    private readonly string _owner = $"{node.Value.Name}/{Guid.NewGuid():N}";

    /// <summary>Takes the job for this process while the work lasts; false when another process has it.</summary>
    public async Task<bool> TryAloneAsync(string job, Func<Task> work, CancellationToken ct)
    {
        // A name of its own: two requests to one process are two runners.
        var owner = $"{_owner}/{Guid.NewGuid():N}";
        var lease = $"job/{job}";
        if (!await store.TryLeaseAsync(lease, owner, time.GetUtcNow(), _options.LeaseDuration, ct)
            .ConfigureAwait(false)) return false;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var renewing = RenewAsync(lease, owner, ended.Token);
        try
        {
            await work().ConfigureAwait(false);
            return true;
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await store.ReleaseAsync(lease, owner, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Makes the part, in as many attempts as the options allow; the last run tells how it went.</summary>
    public async Task<JobRun> RunAsync(
        string name, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string trigger,
        CancellationToken ct)
    {
        var job = catalog.Get(name);
        for (var attempt = 1; ; attempt++)
        {
            var run = await AttemptAsync(job, part, parameters, trigger, attempt, ct).ConfigureAwait(false);
            if (run.State == JobRunState.Succeeded || attempt >= _options.RunAttemptsMax) return run;
            await Task.Delay(_options.RetryDelay * (1 << Math.Min(attempt - 1, 10)), time, ct).ConfigureAwait(false);
        }
    }

    public ValueTask<IReadOnlyList<JobRun>> HistoryAsync(string name, int limit, CancellationToken ct) =>
        store.ListRunsAsync(catalog.Get(name).Name, limit, ct);

    private async Task<JobRun> AttemptAsync(
        JobDefinition job, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string trigger,
        int attempt, CancellationToken ct)
    {
        var startedAt = time.GetUtcNow();
        var id = string.Create(CultureInfo.InvariantCulture,
            $"{startedAt.ToUnixTimeMilliseconds():D15}-{Guid.NewGuid().ToString("N")[..8]}");
        var run = new JobRun(
            id, job.Name, part.Name, trigger, attempt, node.Value.Name, JobRunState.Running, startedAt);
        await store.SaveRunAsync(run, _options.RunRetention, ct).ConfigureAwait(false);
        try
        {
            var times = WithTimes(parameters, part, job.Model?.Before ?? TimeSpan.Zero);
            var query = await jobs.PrepareAsync(job.Name, times, ct).ConfigureAwait(false);
            var written = job.Model is null
                ? await results.ReplaceAsync(job.Name, part, query, ct).ConfigureAwait(false)
                : await models.RunAsync(job, part, query, ct).ConfigureAwait(false);
            run = run with { State = JobRunState.Succeeded, Rows = written.Rows, Bytes = written.Bytes };
            log.PartMade(job.Name, part.Name, written.Rows);
            await upkeep.KeepAsync(job.Name, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            run = run with { State = JobRunState.Failed, Error = Told(e) };
            log.PartFailed(e, job.Name, part.Name, attempt);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(run with { State = JobRunState.Stopped }).ConfigureAwait(false);
            throw;
        }

        return await EndAsync(run).ConfigureAwait(false);
    }

    private async Task<JobRun> EndAsync(JobRun run)
    {
        var ended = run with { EndedAt = time.GetUtcNow() };
        metrics.Ran(ended.Job, ended.State, ended.EndedAt.Value - ended.StartedAt);
        await store.SaveRunAsync(ended, _options.RunRetention, CancellationToken.None).ConfigureAwait(false);
        return ended;
    }

    private static Dictionary<string, JsonElement> WithTimes(
        IReadOnlyDictionary<string, JsonElement> parameters, TimePart part, TimeSpan before)
    {
        var all = parameters.ToDictionary();
        all[JobDefinition.FromParameter] = JsonSerializer.SerializeToElement(part.From - before);
        all[JobDefinition.ToParameter] = JsonSerializer.SerializeToElement(part.To);
        return all;
    }

    private static string Told(Exception e) => e is MillraceException known ? known.Error.ToString() : e.Message;

    private async Task RenewAsync(string lease, string owner, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(_options.LeaseDuration / 3, time, ct).ConfigureAwait(false);
            try
            {
                await store.TryLeaseAsync(lease, owner, time.GetUtcNow(), _options.LeaseDuration, ct)
                    .ConfigureAwait(false);
            }
            catch (MillraceException e)
            {
                log.LeaseNotRenewed(lease, e.Message);
            }
        }
    }
}
