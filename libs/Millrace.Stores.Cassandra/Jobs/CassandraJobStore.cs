using System.Text.Json;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Jobs;

namespace Millrace.Stores.Cassandra.Jobs;

/// <summary>A job's runs are a partition; a lease is a row that is changed by compare-and-set.</summary>
internal sealed class CassandraJobStore(CassandraDatabase database) : IJobStore
{
    public static readonly Migration Tables = new("jobs",
        "CREATE TABLE IF NOT EXISTS job_leases(name text PRIMARY KEY, owner text, until bigint)",
        """
        CREATE TABLE IF NOT EXISTS job_runs(job text, id text, run text, PRIMARY KEY(job, id))
          WITH CLUSTERING ORDER BY (id DESC)
        """,
        "CREATE TABLE IF NOT EXISTS job_schedules(job text PRIMARY KEY, served_up_to bigint)");

    private static readonly StoreStatement SelectLease =
        new("SELECT owner, until FROM job_leases WHERE name = ?");
    private static readonly StoreStatement InsertLease =
        new("INSERT INTO job_leases(name, owner, until) VALUES(?, ?, ?) IF NOT EXISTS");
    private static readonly StoreStatement UpdateLease =
        new("UPDATE job_leases SET owner = ?, until = ? WHERE name = ? IF owner = ? AND until = ?");
    private static readonly StoreStatement DeleteLease = new("DELETE FROM job_leases WHERE name = ? IF owner = ?");
    private static readonly StoreStatement InsertRun =
        new("INSERT INTO job_runs(job, id, run) VALUES(?, ?, ?) USING TTL ?");
    private static readonly StoreStatement SelectRuns = new("SELECT run FROM job_runs WHERE job = ? LIMIT ?");
    private static readonly StoreStatement SelectServed =
        new("SELECT served_up_to FROM job_schedules WHERE job = ?");
    private static readonly StoreStatement InsertServed =
        new("INSERT INTO job_schedules(job, served_up_to) VALUES(?, ?) USING TIMESTAMP ?");

    public async ValueTask<bool> TryLeaseAsync(
        string name, string owner, DateTimeOffset now, TimeSpan duration, CancellationToken ct)
    {
        var until = (now + duration).ToUnixTimeMilliseconds();
        var held = await database.FirstAsync(SelectLease,
            row => new Lease(row.Get<string>(0), row.Get<long>(1)), ct, name).ConfigureAwait(false);
        if (held is null)
        {
            return (await database.RunAsync(InsertLease, ct, name, owner, until).ConfigureAwait(false)).Applied;
        }

        if (held.Owner != owner && held.Until > now.ToUnixTimeMilliseconds()) return false;
        return (await database.RunAsync(UpdateLease, ct, owner, until, name, held.Owner, held.Until)
            .ConfigureAwait(false)).Applied;
    }

    public async ValueTask ReleaseAsync(string name, string owner, CancellationToken ct) =>
        await database.RunAsync(DeleteLease, ct, name, owner).ConfigureAwait(false);

    public async ValueTask SaveRunAsync(JobRun run, TimeSpan keepFor, CancellationToken ct) =>
        await database.RunAsync(InsertRun, ct, run.Job, run.Id, JsonSerializer.Serialize(run),
            (int)keepFor.TotalSeconds).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<JobRun>> ListRunsAsync(string job, int limit, CancellationToken ct) =>
        await database.ListAsync(SelectRuns, row => JsonSerializer.Deserialize<JobRun>(row.Get<string>(0))!, ct, job,
            limit).ConfigureAwait(false);

    public ValueTask<DateTimeOffset?> ServedUpToAsync(string job, CancellationToken ct) =>
        database.FirstAsync(SelectServed,
            row => (DateTimeOffset?)DateTimeOffset.FromUnixTimeMilliseconds(row.Get<long>(0)), ct, job);

    public async ValueTask SaveServedUpToAsync(string job, DateTimeOffset dueAt, CancellationToken ct) =>
        await database.RunAsync(InsertServed, ct, job, dueAt.ToUnixTimeMilliseconds(),
            dueAt.ToUnixTimeMilliseconds() * 1_000).ConfigureAwait(false);

    private sealed record Lease(string Owner, long Until);
}
