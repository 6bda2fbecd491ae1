using Microsoft.Data.Sqlite;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Sqlite;

internal sealed class SqlitePositionStore(SqliteDatabase database) : IPositionStore
{
    private const string Fields =
        "device, latitude, longitude, altitude, event_at, part, log_offset, cell, enqueued_at, generation_id";

    private const string Delete =
        "DELETE FROM positions_of_devices WHERE device = ?1 " +
        "AND (coalesce(enqueued_at, event_at) <= ?3 OR generation_id = ?2)";

    private static readonly string Upsert =
        $"INSERT INTO positions_of_devices({Fields}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 " +
        $"WHERE {DeviceEnds.IsNone("(SELECT id FROM devices WHERE name = ?1)", "?9", "?10")} " +
        "ON CONFLICT DO UPDATE SET latitude = ?2, longitude = ?3, altitude = ?4, event_at = ?5, part = ?6, " +
        "log_offset = ?7, cell = ?8, enqueued_at = ?9, generation_id = ?10 WHERE (?5, ?7) > (event_at, log_offset)";

    private const string Select =
        $"SELECT {Fields} FROM positions_of_devices WHERE cell BETWEEN ?1 AND ?2 AND (cell, device) > (?3, ?4) " +
        "ORDER BY cell, device LIMIT ?5";

    public ValueTask WriteAsync(IReadOnlyList<DevicePosition> positions, CancellationToken ct) =>
        positions.Count == 0 ? ValueTask.CompletedTask : database.WriteAsync(session =>
        {
            // The latest of a device that was deleted since does not hide what one has that was made anew.
            foreach (var p in positions.GroupBy(one => one.GenerationId).SelectMany(DevicePosition.LatestOf))
            {
                session.Run(Upsert, p.DeviceId, p.Latitude, p.Longitude, p.Altitude, p.EventAtMs, p.Partition,
                    p.Offset, Geohash.Of(p.Latitude, p.Longitude), p.EnqueuedAtMs, p.GenerationId);
            }
        }, ct);

    public ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            foreach (var end in ends)
            {
                DeviceEnds.Keep(session, end);
                session.Run(Delete, end.DeviceId, DeviceEnds.GenerationOf(end), end.AtMs);
            }
        }, ct);

    public ValueTask<DevicePosition?> FindAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            $"SELECT {Fields} FROM positions_of_devices WHERE device = ?1", Read, deviceId), ct);

    public ValueTask<Page<DevicePosition>> WithinAsync(
        GeoArea area, int limit, string? continuation, CancellationToken ct) =>
        PositionSearch.WithinAsync(
            area, limit, PositionCursor.Read(continuation) ?? PositionCursor.Start(), ReadAsync, ct);

    private async ValueTask<(IReadOnlyList<PlacedPosition> Rows, PositionPlace? Next)> ReadAsync(
        CellRange range, PositionPlace after, int limit, CancellationToken ct)
    {
        var rows = await database.ReadAsync(session => session.List(
            Select, row => new PlacedPosition(row.GetInt64(7), Read(row)), range.First, range.Last, after.Cell,
            after.Device, limit), ct);
        return (rows, rows.Count < limit ? null : rows[^1].Place);
    }

    private static DevicePosition Read(SqliteDataReader row) => new(
        row.GetString(0), row.GetDouble(1), row.GetDouble(2), row.IsDBNull(3) ? null : row.GetDouble(3),
        row.GetInt64(4), row.GetInt32(5), row.GetInt64(6), row.IsDBNull(8) ? row.GetInt64(4) : row.GetInt64(8),
        row.TextOrNull(9));
}
