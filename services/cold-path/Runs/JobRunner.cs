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
/// Makes parts of jobs' results anew, and keeps what became of it. One runner at a time works on a job; should two, the
/// table's commits keep the results right.
/// </summary>
internal sealed class JobRunner(
    JobCatalog catalog, ColdJobs jobs, ResultTable results, ResultUpkeep upkeep, ModelJobs models, IJobStore store,
    IOptions<ColdPathOptions> options, IOptions<NodeOptions> node, ColdPathMetrics metrics, TimeProvider time,
    ILogger<JobRunner> log)
{
    private readonly ColdPathOptions _options = options.Value;

    /// <summary>
    /// Makes the part, in as many attempts as the options allow; the last run tells how it went. When the lease is
    /// lost, nothing is written any more but that.
    /// </summary>
    public Task<JobRun> RunAsync(
        JobLease lease, string name, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters,
        string trigger) => RunAsync(name, part, parameters, trigger, () => lease.IsLost, lease.Token);

    /// <summary>The same for a job that nobody else can run.</summary>
    public Task<JobRun> RunAsync(
        string name, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string trigger,
        CancellationToken ct) => RunAsync(name, part, parameters, trigger, () => false, ct);

    private async Task<JobRun> RunAsync(
        string name, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string trigger,
        Func<bool> isLost, CancellationToken ct)
    {
        var job = catalog.Get(name);
        for (var attempt = 1; ; attempt++)
        {
            var run = await AttemptAsync(job, part, parameters, trigger, attempt, isLost, ct).ConfigureAwait(false);
            if (run.State == JobRunState.Succeeded || attempt >= _options.RunAttemptsMax) return run;
            await Task.Delay(_options.RetryDelay * (1 << Math.Min(attempt - 1, 10)), time, ct).ConfigureAwait(false);
        }
    }

    private async Task<JobRun> AttemptAsync(
        JobDefinition job, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string trigger,
        int attempt, Func<bool> isLost, CancellationToken ct)
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
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            run = run with { State = JobRunState.Failed, Error = Told(e) };
            log.PartFailed(e, job.Name, part.Name, attempt);
        }
        catch (OperationCanceledException)
        {
            var stopped = run with { State = JobRunState.Stopped };
            await EndAsync(isLost() ? RunHistory.Abandoned(stopped) : stopped).ConfigureAwait(false);
            throw;
        }

        run = await EndAsync(run).ConfigureAwait(false);
        if (run.State == JobRunState.Succeeded) await upkeep.KeepAsync(job.Name, ct).ConfigureAwait(false);
        return run;
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
}
