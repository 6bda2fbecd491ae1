using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Tests;

/// <summary>A store whose leases cannot be reached while a test says so.</summary>
internal sealed class FaultyJobStore(IJobStore store) : IJobStore
{
    private volatile bool _isAway;

    public bool IsAway
    {
        set => _isAway = value;
    }

    public ValueTask<bool> TryLeaseAsync(
        string name, string owner, DateTimeOffset now, TimeSpan duration, CancellationToken ct) =>
        _isAway ? throw new IOException("No answer.") : store.TryLeaseAsync(name, owner, now, duration, ct);

    public ValueTask ReleaseAsync(string name, string owner, CancellationToken ct) =>
        _isAway ? throw new IOException("No answer.") : store.ReleaseAsync(name, owner, ct);

    public ValueTask SaveRunAsync(JobRun run, TimeSpan keepFor, CancellationToken ct) =>
        store.SaveRunAsync(run, keepFor, ct);

    public ValueTask<IReadOnlyList<JobRun>> ListRunsAsync(string job, int limit, CancellationToken ct) =>
        store.ListRunsAsync(job, limit, ct);

    public ValueTask<DateTimeOffset?> ServedUpToAsync(string job, CancellationToken ct) =>
        store.ServedUpToAsync(job, ct);

    public ValueTask SaveServedUpToAsync(string job, DateTimeOffset dueAt, CancellationToken ct) =>
        store.SaveServedUpToAsync(job, dueAt, ct);
}
