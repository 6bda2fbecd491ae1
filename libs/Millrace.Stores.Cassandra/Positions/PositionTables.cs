using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// The statements of the tables of positions. The event time is the timestamp of a write, so that the order in which
/// positions come does not matter; an entry that a device has left is removed with the entry's own. When a row was
/// written a node says, for the clocks of clients may be hours apart: its entry was there before.
/// </summary>
internal sealed class PositionTables(CassandraDatabase database)
{
    // 1.4 by 0.7 degrees: a region's devices are one partition.
    private const int AreaBits = 16;
    private const int ShardsFixed = 1_024;

    private static readonly StoreStatement InsertDevice = new(
        "INSERT INTO positions_of_devices(shard, device, value, moved_at) VALUES(?, ?, ?, toTimestamp(now())) " +
        "USING TIMESTAMP ?");

    private static readonly StoreStatement SelectDevice = new(
        "SELECT value, ended, moved_at, writetime(moved_at) FROM positions_of_devices WHERE shard = ? AND device = ?");

    private static readonly StoreStatement End = new(
        "UPDATE positions_of_devices USING TIMESTAMP ? SET ended = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement DeleteDevice = new(
        "DELETE value, moved_at FROM positions_of_devices USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement InsertEntry = new(
        "INSERT INTO positions_by_area(area, cell, device, value) VALUES(?, ?, ?, ?) USING TIMESTAMP ?");

    private static readonly StoreStatement DeleteEntry = new(
        "DELETE FROM positions_by_area USING TIMESTAMP ? WHERE area = ? AND cell = ? AND device = ?");

    private static readonly StoreStatement SelectEntries = new(
        "SELECT cell, device, value FROM positions_by_area WHERE area = ? AND (cell, device) > (?, ?) " +
        "AND (cell) <= (?) LIMIT ?");

    private static readonly StoreStatement InsertArea = new(
        "INSERT INTO position_areas(id, area) VALUES(0, ?) USING TIMESTAMP 0");

    private static readonly StoreStatement SelectAreas = new(
        "SELECT area FROM position_areas WHERE id = 0 AND area >= ? AND area <= ?");

    public static int AreaOf(long cell) => (int)(cell >> (Geohash.Bits - AreaBits));

    public static long CellOf(DevicePosition position) => Geohash.Of(position.Latitude, position.Longitude);

    public static int ShardOf(string device) => TelemetryLayout.ShardOf(device, ShardsFixed);

    public async ValueTask<BoundStatement> BindDeviceAsync(DevicePosition position, CancellationToken ct) =>
        (await database.BindAsync(InsertDevice, ct).ConfigureAwait(false))
            .Add(ShardOf(position.DeviceId)).Add(position.DeviceId).Add(PositionCodec.Write(position))
            .Add(TelemetryTable.MicrosecondsOf(position.EventAtMs));

    public async ValueTask<BoundStatement> BindEntryAsync(DevicePosition position, CancellationToken ct) =>
        (await database.BindAsync(InsertEntry, ct).ConfigureAwait(false))
            .Add(AreaOf(CellOf(position))).Add(CellOf(position)).Add(position.DeviceId)
            .Add(PositionCodec.Write(position)).Add(TelemetryTable.MicrosecondsOf(position.EventAtMs));

    public async ValueTask<BoundStatement> BindLeftAsync(DevicePosition position, CancellationToken ct) =>
        (await database.BindAsync(DeleteEntry, ct).ConfigureAwait(false))
            .Add(TelemetryTable.MicrosecondsOf(position.EventAtMs)).Add(AreaOf(CellOf(position)))
            .Add(CellOf(position)).Add(position.DeviceId);

    public async ValueTask<BoundStatement> BindAreaAsync(int area, CancellationToken ct) =>
        (await database.BindAsync(InsertArea, ct).ConfigureAwait(false)).Add(area);

    public async ValueTask<StoredPosition> FindAsync(string device, CancellationToken ct) =>
        await database.FirstAsync(SelectDevice, row => Read(device, row), ct, ShardOf(device), device)
            .ConfigureAwait(false) ?? StoredPosition.None;

    /// <summary>The clock of one of the nodes, which is what says when a device moved.</summary>
    public ValueTask<long> NowMsAsync(CancellationToken ct) => database.NowMsAsync(ct);

    /// <summary>
    /// First the end is written: from then on no position of the device counts, whenever one comes. What is there is
    /// deleted as of its own time, so that no later one goes with it.
    /// </summary>
    public async ValueTask ForgetAsync(DeviceEnd end, CancellationToken ct)
    {
        var shard = ShardOf(end.DeviceId);
        await database.RunAsync(
            End, ct, TelemetryTable.MicrosecondsOf(end.AtMs), DeviceEndCodec.Write(end), shard, end.DeviceId)
            .ConfigureAwait(false);
        var left = (await FindAsync(end.DeviceId, ct).ConfigureAwait(false)).Written;
        if (left is null || !left.IsOf(end)) return;
        await database.RunAsync(await BindLeftAsync(left, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        await database.RunAsync(DeleteDevice, ct, TelemetryTable.MicrosecondsOf(left.EventAtMs), shard, end.DeviceId)
            .ConfigureAwait(false);
    }

    /// <summary>Areas that have, or had, devices.</summary>
    public ValueTask<List<int>> AreasAsync(int first, int last, CancellationToken ct) =>
        database.ListAsync(SelectAreas, row => row.Get<int>(0), ct, first, last);

    public ValueTask<List<PlacedPosition>> EntriesAsync(
        int area, PositionPlace after, long lastCell, int limit, CancellationToken ct) =>
        database.ListAsync(SelectEntries,
            row => new PlacedPosition(row.Get<long>(0), PositionCodec.Read(row.Get<string>(1), row.Bytes(2))), ct,
            area, after.Cell, after.Device, lastCell, limit);

    private static StoredPosition Read(string device, Row row)
    {
        var end = DeviceEndCodec.Read(device, row, 1);
        if (row.IsNull(0)) return new StoredPosition(null, null, end);
        var written = PositionCodec.Read(device, row.Bytes(0));

        // A process of the version before wrote the position alone: then the time is an older position's.
        var isMoveTold = !row.IsNull(2) && row.Get<long>(3) == TelemetryTable.MicrosecondsOf(written.EventAtMs);
        return new StoredPosition(written, isMoveTold ? row.Get<long>(2) : null, end);
    }
}
