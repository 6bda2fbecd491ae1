using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Runs;

/// <summary>
/// What became of runs. A process that was killed leaves its run as it was: one that nobody is at any more has stopped.
/// </summary>
internal sealed class RunHistory(JobLeases leases, IJobStore store)
{
    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<JobRun>> ListAsync(string job, int limit, CancellationToken ct)
    {
        var runs = await store.ListRunsAsync(job, limit, ct).ConfigureAwait(false);
        if (runs is not [{ State: JobRunState.Running }, ..]) return Told(runs, goingOn: 0);
        var isFree = await leases.TryAloneAsync(job, async lease =>
        {
            // It may have ended before its lease was found free.
            runs = await store.ListRunsAsync(job, limit, lease.Token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        return Told(runs, goingOn: isFree ? 0 : 1);
    }

    /// <summary>The part's newest run, which goes on when it may; null when there is none.</summary>
    public async Task<JobRun?> NewestAsync(string job, TimePart part, CancellationToken ct)
    {
        const int runsMax = 1_000;
        var runs = await store.ListRunsAsync(job, runsMax, ct).ConfigureAwait(false);
        return Told(runs, goingOn: 1).FirstOrDefault(run => run.Part == part.Name);
    }

    public static JobRun Abandoned(JobRun run) => run with
    {
        State = JobRunState.Stopped,
        Error = run.Error ?? ColdPathErrors.LeaseLost.With($"{run.Job} {run.Part}").ToString(),
    };

    /// <param name="goingOn">One runs a job at a time: of the newest run alone it may be true that it goes on.</param>
    private static IReadOnlyList<JobRun> Told(IReadOnlyList<JobRun> runs, int goingOn) =>
    [
        .. runs.Take(goingOn), .. runs.Skip(goingOn)
            .Select(run => run.State == JobRunState.Running ? Abandoned(run) : run),
    ];
}
