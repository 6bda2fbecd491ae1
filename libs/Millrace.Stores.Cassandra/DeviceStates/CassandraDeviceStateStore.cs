using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.DeviceStates;

namespace Millrace.Stores.Cassandra.DeviceStates;

/// <summary>
/// States are folded here and written whole. All of a device's events come from one partition of the log, so the
/// offset is the writes' timestamp: what an owner that has lost the partition still writes does not count.
/// </summary>
internal sealed class CassandraDeviceStateStore(CassandraDatabase database) : IDeviceStateStore
{
    private const int DevicesOfRead = 100;

    private static readonly StoreStatement Select = new("SELECT device, connection, connected, connected_at, "
        + "disconnected_at, reason, last_seen_at FROM device_states WHERE device = ?");
    private static readonly StoreStatement Insert = new("INSERT INTO device_states(device, connection, connected, "
        + "connected_at, disconnected_at, reason, last_seen_at) VALUES(?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?");
    private static readonly StoreStatement Delete =
        new("DELETE FROM device_states USING TIMESTAMP ? WHERE device = ?");
    private static readonly StoreStatement InsertConnected =
        new("INSERT INTO connected_devices(shard, device, connection) VALUES(?, ?, ?) USING TIMESTAMP ?");
    private static readonly StoreStatement DeleteConnected =
        new("DELETE FROM connected_devices USING TIMESTAMP ? WHERE shard = ? AND device = ?");
    private static readonly StoreStatement SelectConnected =
        new("SELECT device, connection FROM connected_devices WHERE shard = ?");
    private static readonly StoreStatement Count = new("SELECT count(*) FROM connected_devices WHERE shard = ?");

    private readonly SinkPositions _positions = new(database, "device-states");

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<LifecycleEvent> events, SinkPosition position, CancellationToken ct)
    {
        if (await _positions.IsPastAsync(partition, position, ct).ConfigureAwait(false)) return;
        await InFlight.ForEachAsync(events.GroupBy(e => e.DeviceId), ct, async (device, token) =>
        {
            var before = await RowAsync(device.Key, token).ConfigureAwait(false);
            var after = device.Aggregate(before, FoldedState.Fold);
            if (after != before) await SaveAsync(device.Key, after, position.NextOffset, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await _positions.SaveAsync(partition, position, ct).ConfigureAwait(false);
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        _positions.FindAsync(partition, ct);

    public async ValueTask<DeviceState?> FindAsync(string deviceId, CancellationToken ct) =>
        (await RowAsync(deviceId, ct).ConfigureAwait(false))?.State;

    public async ValueTask<IReadOnlyList<DeviceState>> FindManyAsync(
        IReadOnlyCollection<string> deviceIds, CancellationToken ct)
    {
        var states = await InFlight.SelectAsync([.. deviceIds], ct, RowAsync).ConfigureAwait(false);
        return [.. states.Select(row => row?.State).OfType<DeviceState>()];
    }

    /// <summary>The nodes read a row for each device that is connected.</summary>
    public ValueTask<long> CountConnectedAsync(CancellationToken ct) =>
        InFlight.CountAsync(Shards.All, ct, (shard, token) =>
            database.FirstAsync(Count, row => row.Get<long>(0), token, shard));

    /// <summary>The nodes read a row for each device that is connected.</summary>
    public async IAsyncEnumerable<OpenConnection> OpenConnectionsAsync(
        string idPrefix, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var shard in Shards.All)
        {
            var all = await database.ListAsync(SelectConnected,
                row => (Device: row.Get<string>(0), Connection: row.Get<string?>(1)), ct, shard)
                .ConfigureAwait(false);
            string[] devices =
                [.. all.Where(one => one.Connection?.StartsWith(idPrefix, StringComparison.Ordinal) == true)
                    .Select(one => one.Device)];
            foreach (var some in devices.Chunk(DevicesOfRead))
            {
                // The list may be behind what is known of the device.
                foreach (var row in await InFlight.SelectAsync(some, ct, RowAsync).ConfigureAwait(false))
                {
                    if (row is { State.Connected: true, Connection: { } id }
                        && id.StartsWith(idPrefix, StringComparison.Ordinal))
                        yield return new OpenConnection(row.State.DeviceId, id, row.State.ConnectedAt);
                }
            }
        }
    }

    private ValueTask<FoldedState?> RowAsync(string deviceId, CancellationToken ct) =>
        database.FirstAsync(Select, Read, ct, deviceId);

    /// <summary>
    /// The state last: a write that fails in between leaves it as it was, so that the next try does not take the device
    /// for one that nothing happened to.
    /// </summary>
    private async ValueTask SaveAsync(string device, FoldedState? folded, long timestamp, CancellationToken ct)
    {
        if (folded?.State.Connected == true)
            await database.RunAsync(InsertConnected, ct, Shards.Of(device), device, folded.Connection, timestamp)
                .ConfigureAwait(false);
        else
            await database.RunAsync(DeleteConnected, ct, timestamp, Shards.Of(device), device).ConfigureAwait(false);

        if (folded is null)
            await database.RunAsync(Delete, ct, timestamp, device).ConfigureAwait(false);
        else
        {
            var state = folded.State;
            await database.RunAsync(Insert, ct, device, folded.Connection, state.Connected, state.ConnectedAt,
                state.DisconnectedAt, state.DisconnectReason, state.LastSeenAt, timestamp).ConfigureAwait(false);
        }
    }

    private static FoldedState Read(Row row) => new(
        new DeviceState(row.Get<string>(0), row.Get<bool>(2), row.Get<DateTimeOffset?>(3),
            row.Get<DateTimeOffset?>(4), row.Get<string?>(5), row.Get<DateTimeOffset?>(6)), row.Get<string?>(1));
}
