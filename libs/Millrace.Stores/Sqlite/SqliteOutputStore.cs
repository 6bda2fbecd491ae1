using Millrace.Contracts;
using Millrace.Stores.Outputs;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteOutputStore(SqliteDatabase database) : IOutputStore
{
    private const string Sink = "outputs";
    private const string List = "outputs";

    public ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<OutputRow> rows, SinkPosition position, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (!SinkPositions.TrySave(session, Sink, partition, position)) return;
            foreach (var row in rows)
            {
                session.Run("INSERT OR REPLACE INTO outputs VALUES(?1, ?2, ?3, ?4, ?5, ?6)", row.RowId, row.Output,
                    row.At.ToUnixTimeMilliseconds(), row.Query, row.QueryVersion, row.Json);
            }
        }, ct);

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        SinkPositions.FindAsync(database, Sink, partition, ct);

    public ValueTask<Page<OutputRow>> QueryAsync(
        string output, DateTimeOffset? from, DateTimeOffset? to, int limit, string? continuation, CancellationToken ct)
    {
        var (at, rowId) = (long.MaxValue, "");
        if (continuation is not null)
        {
            var key = ContinuationToken.Read(List, continuation, 2);
            (at, rowId) = (ContinuationToken.Number(key[0], continuation), key[1]);
        }

        return database.ReadAsync(session =>
        {
            var rows = session.List(
                "SELECT row_id, output, query, version, at, json FROM outputs WHERE output = ?1 " +
                "AND (at, row_id) < (?2, ?3) AND at >= ?4 AND at < ?5 ORDER BY at DESC, row_id DESC LIMIT ?6",
                row => new OutputRow(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3),
                    row.Time(4), row.GetString(5)),
                output, at, rowId, from?.ToUnixTimeMilliseconds() ?? long.MinValue,
                to?.ToUnixTimeMilliseconds() ?? long.MaxValue, Columns.OneMore(limit));
            return Columns.Cut(rows, limit,
                last => ContinuationToken.Write(List, last.At.ToUnixTimeMilliseconds(), last.RowId));
        }, ct);
    }

    public ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct) => Expiry.InChunksAsync(database,
        "DELETE FROM outputs WHERE rowid IN (SELECT rowid FROM outputs WHERE at < ?1 LIMIT ?2)", before, ct);
}
