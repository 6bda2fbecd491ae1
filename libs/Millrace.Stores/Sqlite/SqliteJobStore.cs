using System.Text.Json;
using Millrace.Stores.Jobs;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteJobStore(SqliteDatabase database) : IJobStore
{
    public ValueTask<bool> TryLeaseAsync(
        string name, string owner, DateTimeOffset now, TimeSpan duration, CancellationToken ct) =>
        database.WriteAsync(session => session.Run(
            "INSERT INTO job_leases VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET owner = excluded.owner, "
            + "until = excluded.until WHERE owner = excluded.owner OR until <= ?4",
            name, owner, (now + duration).ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds()) > 0, ct);

    public ValueTask ReleaseAsync(string name, string owner, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("DELETE FROM job_leases WHERE name = ?1 AND owner = ?2", name, owner);
        }, ct);

    public ValueTask SaveRunAsync(JobRun run, TimeSpan keepFor, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("INSERT OR REPLACE INTO job_runs VALUES(?1, ?2, ?3, ?4)", run.Job, run.Id,
                run.StartedAt.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(run));
            session.Run("DELETE FROM job_runs WHERE job = ?1 AND started_at < ?2", run.Job,
                (run.StartedAt - keepFor).ToUnixTimeMilliseconds());
        }, ct);

    public ValueTask<IReadOnlyList<JobRun>> ListRunsAsync(string job, int limit, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<JobRun>>(session => session.List(
            "SELECT run FROM job_runs WHERE job = ?1 ORDER BY id DESC LIMIT ?2",
            row => JsonSerializer.Deserialize<JobRun>(row.GetString(0))!, job, (long)limit), ct);

    public ValueTask<DateTimeOffset?> ServedUpToAsync(string job, CancellationToken ct) =>
        database.ReadAsync(session => session.List("SELECT served_up_to FROM job_schedules WHERE job = ?1",
            row => (DateTimeOffset?)row.Time(0), job).FirstOrDefault(), ct);

    public ValueTask SaveServedUpToAsync(string job, DateTimeOffset dueAt, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("INSERT INTO job_schedules VALUES(?1, ?2) " +
                "ON CONFLICT DO UPDATE SET served_up_to = max(served_up_to, excluded.served_up_to)",
                job, dueAt.ToUnixTimeMilliseconds());
        }, ct);
}
