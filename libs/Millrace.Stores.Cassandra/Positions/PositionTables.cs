using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// The statements of the tables of positions. The event time is the timestamp of a write, so that the order in which
/// positions come does not matter; an entry that a device has left is removed with the entry's own. Each generation of
/// a device has cells of its own in either table, so that what one wrote, or its removal, hides nothing of another; the
/// version before knows of those that all have together. When a row was written a node says, for the clocks of clients
/// may be hours apart: its entry was there before.
/// </summary>
internal sealed class PositionTables(CassandraDatabase database)
{
    // 1.4 by 0.7 degrees: a region's devices are one partition.
    private const int AreaBits = 16;
    private const int ShardsFixed = 1_024;

    private static readonly StoreStatement SetSharedDevice = new(
        "UPDATE positions_of_devices USING TIMESTAMP ? SET value = ?, moved_at = toTimestamp(now()) " +
        "WHERE shard = ? AND device = ?");

    private static readonly StoreStatement SetDevice = new(
        "UPDATE positions_of_devices USING TIMESTAMP ? SET by_generation[?] = (?, toTimestamp(now())) " +
        "WHERE shard = ? AND device = ?");

    private static readonly StoreStatement SelectDevice = new(
        "SELECT value, by_generation, ended, moved_at, writetime(moved_at) FROM positions_of_devices " +
        "WHERE shard = ? AND device = ?");

    private static readonly StoreStatement End = new(
        "UPDATE positions_of_devices USING TIMESTAMP ? SET ended = ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement DeleteSharedDevice = new(
        "DELETE value, moved_at FROM positions_of_devices USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement DeleteDevice = new(
        "DELETE by_generation[?] FROM positions_of_devices USING TIMESTAMP ? WHERE shard = ? AND device = ?");

    private static readonly StoreStatement SetSharedEntry = new(
        "UPDATE positions_by_area USING TIMESTAMP ? SET value = ? WHERE area = ? AND cell = ? AND device = ?");

    private static readonly StoreStatement SetEntry = new(
        "UPDATE positions_by_area USING TIMESTAMP ? SET by_generation[?] = ? " +
        "WHERE area = ? AND cell = ? AND device = ?");

    // The version before makes rows that stay when their value goes.
    private static readonly StoreStatement DeleteSharedEntry = new(
        "DELETE FROM positions_by_area USING TIMESTAMP ? WHERE area = ? AND cell = ? AND device = ?");

    private static readonly StoreStatement DeleteEntry = new(
        "DELETE by_generation[?] FROM positions_by_area USING TIMESTAMP ? WHERE area = ? AND cell = ? AND device = ?");

    private static readonly StoreStatement SelectEntries = new(
        "SELECT value, by_generation, cell, device FROM positions_by_area " +
        "WHERE area = ? AND (cell, device) > (?, ?) AND (cell) <= (?) LIMIT ?");

    private static readonly StoreStatement InsertArea = new(
        "INSERT INTO position_areas(id, area) VALUES(0, ?) USING TIMESTAMP 0");

    private static readonly StoreStatement SelectAreas = new(
        "SELECT area FROM position_areas WHERE id = 0 AND area >= ? AND area <= ?");

    public static int AreaOf(long cell) => (int)(cell >> (Geohash.Bits - AreaBits));

    public static long CellOf(DevicePosition position) => Geohash.Of(position.Latitude, position.Longitude);

    public static int ShardOf(string device) => TelemetryLayout.ShardOf(device, ShardsFixed);

    public async ValueTask<BoundStatement> BindDeviceAsync(WrittenPosition written, CancellationToken ct) =>
        (await BindSetAsync(written, SetSharedDevice, SetDevice, ct).ConfigureAwait(false))
            .Add(ShardOf(written.Position.DeviceId)).Add(written.Position.DeviceId);

    public async ValueTask<BoundStatement> BindEntryAsync(WrittenPosition written, CancellationToken ct) =>
        AddPlace(await BindSetAsync(written, SetSharedEntry, SetEntry, ct).ConfigureAwait(false), written.Position);

    public async ValueTask<BoundStatement> BindLeftAsync(WrittenPosition written, CancellationToken ct) => AddPlace(
        await BindDeleteAsync(written, DeleteSharedEntry, DeleteEntry, ct).ConfigureAwait(false), written.Position);

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
        foreach (var left in (await FindAsync(end.DeviceId, ct).ConfigureAwait(false)).Written)
        {
            if (!left.Position.IsOf(end)) continue;
            await database.RunAsync(await BindLeftAsync(left, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
            var delete = await BindDeleteAsync(left, DeleteSharedDevice, DeleteDevice, ct).ConfigureAwait(false);
            await database.RunAsync(delete.Add(shard).Add(end.DeviceId), ct).ConfigureAwait(false);
        }
    }

    /// <summary>Areas that have, or had, devices.</summary>
    public ValueTask<List<int>> AreasAsync(int first, int last, CancellationToken ct) =>
        database.ListAsync(SelectAreas, row => row.Get<int>(0), ct, first, last);

    public ValueTask<List<AreaEntry>> EntriesAsync(
        int area, PositionPlace after, long lastCell, int limit, CancellationToken ct) =>
        database.ListAsync(SelectEntries, ReadEntry, ct, area, after.Cell, after.Device, lastCell, limit);

    private async ValueTask<BoundStatement> BindSetAsync(
        WrittenPosition written, StoreStatement shared, StoreStatement own, CancellationToken ct)
    {
        var set = await database.BindAsync(written.IsShared ? shared : own, ct).ConfigureAwait(false);
        set.Add(TelemetryTable.MicrosecondsOf(written.Position.EventAtMs));
        if (!written.IsShared) set.Add(written.Generation);
        return set.Add(PositionCodec.Write(written.Position));
    }

    private async ValueTask<BoundStatement> BindDeleteAsync(
        WrittenPosition written, StoreStatement shared, StoreStatement own, CancellationToken ct)
    {
        var delete = await database.BindAsync(written.IsShared ? shared : own, ct).ConfigureAwait(false);
        if (!written.IsShared) delete.Add(written.Generation);
        return delete.Add(TelemetryTable.MicrosecondsOf(written.Position.EventAtMs));
    }

    private static BoundStatement AddPlace(BoundStatement statement, DevicePosition position) =>
        statement.Add(AreaOf(CellOf(position))).Add(CellOf(position)).Add(position.DeviceId);

    private static StoredPosition Read(string device, Row row)
    {
        var written = new List<WrittenPosition>();
        if (!row.IsNull(0))
        {
            // A version that knew of no such time wrote the position alone: then it is an older position's.
            var position = PositionCodec.Read(device, row.Bytes(0));
            var isMoveTold = !row.IsNull(3) && row.Get<long>(4) == TelemetryTable.MicrosecondsOf(position.EventAtMs);
            written.Add(new WrittenPosition(position, IsShared: true, isMoveTold ? row.Get<long>(3) : null));
        }

        if (!row.IsNull(1))
        {
            foreach (var (value, movedAtMs) in row.Get<Dictionary<string, (byte[], long)>>(1).Values)
                written.Add(new WrittenPosition(PositionCodec.Read(device, value), IsShared: false, movedAtMs));
        }

        return new StoredPosition(written, DeviceEndCodec.Read(device, row, 2));
    }

    private static AreaEntry ReadEntry(Row row)
    {
        var (cell, device) = (row.Get<long>(2), row.Get<string>(3));
        var written = new List<WrittenPosition>();
        if (!row.IsNull(0)) written.Add(new WrittenPosition(PositionCodec.Read(device, row.Bytes(0)), IsShared: true));
        if (!row.IsNull(1))
        {
            foreach (var value in row.Get<Dictionary<string, byte[]>>(1).Values)
                written.Add(new WrittenPosition(PositionCodec.Read(device, value), IsShared: false));
        }

        return new AreaEntry(cell, device, written);
    }
}
