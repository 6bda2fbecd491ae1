namespace Millrace.Stores.Jobs;

/// <summary>
/// Who runs jobs, what became of their runs, and how far their schedules are. What a lease spares is work: results are
/// right without it.
/// </summary>
public interface IJobStore
{
    /// <summary>
    /// Takes the lease by compare-and-set, or renews it; false while another owner's lasts. It ends by itself.
    /// </summary>
    ValueTask<bool> TryLeaseAsync(
        string name, string owner, DateTimeOffset now, TimeSpan duration, CancellationToken ct = default);

    /// <summary>Gives it back; nothing happens when another has it.</summary>
    ValueTask ReleaseAsync(string name, string owner, CancellationToken ct = default);

    /// <summary>Adds the run, or replaces what was said of it. It is forgotten after some time.</summary>
    ValueTask SaveRunAsync(JobRun run, TimeSpan keepFor, CancellationToken ct = default);

    /// <summary>The newest first.</summary>
    ValueTask<IReadOnlyList<JobRun>> ListRunsAsync(string job, int limit, CancellationToken ct = default);

    /// <summary>The due time up to which the job's schedule was served; null when it never was.</summary>
    ValueTask<DateTimeOffset?> ServedUpToAsync(string job, CancellationToken ct = default);

    /// <summary>The schedule never goes back: an earlier time than the one that is there changes nothing.</summary>
    ValueTask SaveServedUpToAsync(string job, DateTimeOffset dueAt, CancellationToken ct = default);
}
