using Millrace.Stores.Audit;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteAuditStore(SqliteDatabase database) : IAuditStore
{
    private const string List = "audit";

    public ValueTask AddAsync(AuditEntry entry, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("INSERT INTO audit(at, actor, action, subject, detail) VALUES(?1, ?2, ?3, ?4, ?5)",
                entry.At.ToUnixTimeMilliseconds(), entry.Actor, entry.Action, entry.Subject, entry.Detail);
        }, ct);

    public ValueTask<Page<AuditEntry>> ListAsync(int limit, string? continuation, CancellationToken ct)
    {
        var before = continuation is null
            ? long.MaxValue
            : ContinuationToken.Number(ContinuationToken.Read(List, continuation, 1)[0], continuation);
        return database.ReadAsync(session =>
        {
            var rows = session.List(
                "SELECT id, at, actor, action, subject, detail FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                row => (Id: row.GetInt64(0), Entry: new AuditEntry(row.Time(1), row.GetString(2), row.GetString(3),
                    row.GetString(4), row.TextOrNull(5))), before, Columns.OneMore(limit));
            var page = Columns.Cut(rows, limit, last => ContinuationToken.Write(List, last.Id));
            return new Page<AuditEntry>([.. page.Items.Select(i => i.Entry)], page.Continuation);
        }, ct);
    }
}
