using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.Alerts;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteAlertStore(SqliteDatabase database) : IAlertStore
{
    private const string Sink = "alerts";
    private const string List = "alerts";

    public ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<AlertRow> rows, SinkPosition position, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (!SinkPositions.TrySave(session, Sink, partition, position)) return;
            foreach (var row in rows)
            {
                session.Run("INSERT OR REPLACE INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", row.RowId,
                    row.At.ToUnixTimeMilliseconds(), row.Query, row.QueryVersion, row.DeviceId, (int)row.Severity,
                    row.Message, row.DetailsJson);
            }
        }, ct);

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        SinkPositions.FindAsync(database, Sink, partition, ct);

    public ValueTask<Page<AlertRow>> QueryAsync(AlertFilter filter, CancellationToken ct)
    {
        var (at, rowId) = (long.MaxValue, "");
        if (filter.Continuation is { } token)
        {
            var key = ContinuationToken.Read(List, token, 2);
            (at, rowId) = (ContinuationToken.Number(key[0], token), key[1]);
        }

        // What is not asked for is not in the statement, so that SQLite takes the index that fits.
        var device = filter.DeviceId is null ? "?6 IS NULL" : "device = ?6";
        var query = filter.Query is null ? "?7 IS NULL" : "query = ?7";
        var sql = "SELECT row_id, at, query, version, device, severity, message, details FROM alerts " +
            $"WHERE (at, row_id) < (?1, ?2) AND at >= ?3 AND at < ?4 AND severity >= ?5 AND {device} " +
            $"AND {query} ORDER BY at DESC, row_id DESC LIMIT ?8";
        return database.ReadAsync(session =>
        {
            var rows = session.List(sql, Read, at, rowId,
                filter.From?.ToUnixTimeMilliseconds() ?? long.MinValue,
                filter.To?.ToUnixTimeMilliseconds() ?? long.MaxValue, (int)(filter.SeverityMin ?? 0),
                filter.DeviceId, filter.Query, Columns.OneMore(filter.Limit));
            return Columns.Cut(rows, filter.Limit,
                last => ContinuationToken.Write(List, last.At.ToUnixTimeMilliseconds(), last.RowId));
        }, ct);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM alerts"), ct);

    public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) => Expiry.InChunksAsync(database,
        "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE at < ?1 LIMIT ?2)", before, ct);

    private static AlertRow Read(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(2), row.GetInt32(3), row.TextOrNull(4), (AlertSeverity)row.GetInt32(5),
        row.GetString(6), row.Time(1), row.GetString(7));
}
