using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Runs;

/// <summary>Runs of parts that go on when nobody waits for them any more, until the process ends.</summary>
internal sealed class PartRuns(
    JobRunner runner, JobLeases leases, RunHistory history, IOptions<ColdPathOptions> options, TimeProvider time,
    ILogger<PartRuns> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _running = new();

    /// <summary>
    /// Makes the part; who asked for it waits for so long, and gets the run as it stands then. Null when somebody else
    /// has the job.
    /// </summary>
    public async Task<JobRun?> StartAsync(
        string job, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string who, TimeSpan wait,
        CancellationToken ct)
    {
        var before = await history.NewestAsync(job, part, ct).ConfigureAwait(false);
        var running = Task.Run(() => RunAsync(job, part, parameters, who), CancellationToken.None);
        _running[running] = true;
        _ = running.ContinueWith(done =>
        {
            _running.TryRemove(done, out _);
            if (done.Exception is { } e) log.RunLost(e, job, part.Name);
        }, TaskScheduler.Default);
        await Task.WhenAny(running, Task.Delay(wait, time, ct)).ConfigureAwait(false);
        while (!running.IsCompleted)
        {
            ct.ThrowIfCancellationRequested();
            if (await history.NewestAsync(job, part, ct).ConfigureAwait(false) is { } run && run.Id != before?.Id)
                return IsOver(run) ? run : run with { State = JobRunState.Running };
            await Task.WhenAny(running, Task.Delay(LookMin, time, ct)).ConfigureAwait(false);
        }

        return await running.ConfigureAwait(false);
    }

    /// <summary>
    /// How the newest run of the part stands, wherever it is; one that goes on is waited for. While there will be
    /// another attempt it runs. Null when there is none.
    /// </summary>
    public async Task<JobRun?> FindAsync(string job, TimePart part, TimeSpan wait, CancellationToken ct)
    {
        var until = time.GetUtcNow() + wait;
        for (var pause = LookMin; ; pause = pause * 2 < LookMax ? pause * 2 : LookMax)
        {
            var run = await history.NewestAsync(job, part, ct).ConfigureAwait(false);
            if (run is not null && IsOver(run)) return run;

            // A process that was killed leaves its run as it was, and loses the job.
            if (await leases.TryAloneAsync(job, _ => Task.CompletedTask, ct).ConfigureAwait(false))
            {
                run = await history.NewestAsync(job, part, ct).ConfigureAwait(false);
                return run is null || IsOver(run) ? run : RunHistory.Abandoned(run);
            }

            if (time.GetUtcNow() >= until) return run is null ? null : run with { State = JobRunState.Running };
            await Task.Delay(pause, time, ct).ConfigureAwait(false);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task<JobRun?> RunAsync(
        string job, TimePart part, IReadOnlyDictionary<string, JsonElement> parameters, string who)
    {
        JobRun? run = null;
        await leases.TryAloneAsync(job, async lease => run = await runner.RunAsync(
            lease, job, part, parameters, who).ConfigureAwait(false), _stopping.Token).ConfigureAwait(false);
        return run;
    }

    private bool IsOver(JobRun run) => run.State is JobRunState.Succeeded or JobRunState.Stopped
        || (run.State == JobRunState.Failed && run.Attempt >= options.Value.RunAttemptsMax);
}
