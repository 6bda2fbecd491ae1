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

        // What is not asked for is not in the statement, so that SQLite takes the index that fits; and what no index
        // has together is looked at here, so that a page may end before it fits.
        var page = new FilteredPage<AlertRow>(filter.Matches, filter.Limit, filter.LookedAtMax);
        var whose = filter switch
        {
            { DeviceId: not null } => "device = ?5",
            { Query: not null } => "query = ?5",
            _ => "?5 IS NULL",
        };
        var sql = "SELECT row_id, at, query, version, device, severity, message, details FROM alerts " +
            $"WHERE (at, row_id) < (?1, ?2) AND at >= ?3 AND at < ?4 AND {whose} ORDER BY at DESC, row_id DESC";
        return database.ReadAsync(session =>
        {
            var hasMore = session.ListUntil(sql, row => IsBehind(page, row), isBehind => isBehind, at, rowId,
                filter.From?.ToUnixTimeMilliseconds() ?? long.MinValue,
                filter.To?.ToUnixTimeMilliseconds() ?? long.MaxValue, filter.DeviceId ?? filter.Query).LastOrDefault();
            return page.End(hasMore,
                last => ContinuationToken.Write(List, last.At.ToUnixTimeMilliseconds(), last.RowId));
        }, ct);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM alerts"), ct);

    public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) => Expiry.InChunksAsync(database,
        "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE at < ?1 LIMIT ?2)", before, ct);

    /// <summary>Whether the row belongs to the page after this one; else it is in it, if it is to be.</summary>
    private static bool IsBehind(FilteredPage<AlertRow> page, SqliteDataReader row)
    {
        if (page.IsFull) return true;
        var alert = Read(row);
        if (page.Takes(alert)) page.Add(alert);
        return false;
    }

    private static AlertRow Read(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(2), row.GetInt32(3), row.TextOrNull(4), (AlertSeverity)row.GetInt32(5),
        row.GetString(6), row.Time(1), row.GetString(7));
}
