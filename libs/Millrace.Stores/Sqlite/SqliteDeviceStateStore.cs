using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.DeviceStates;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteDeviceStateStore(SqliteDatabase database) : IDeviceStateStore
{
    private const int PageMax = 1_000;
    private const string Sink = "device-states";
    private const string Fields =
        "device, connected, connected_at, disconnected_at, reason, last_seen_at";

    public ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<LifecycleEvent> events, SinkPosition position, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (!SinkPositions.TrySave(session, Sink, partition, position)) return;
            foreach (var e in events) Fold(session, e);
        }, ct);

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        SinkPositions.FindAsync(database, Sink, partition, ct);

    public ValueTask<DeviceState?> FindAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => Find(session, deviceId), ct);

    public ValueTask<IReadOnlyList<DeviceState>> FindManyAsync(
        IReadOnlyCollection<string> deviceIds, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<DeviceState>>(
            session => [.. deviceIds.Select(id => Find(session, id)).OfType<DeviceState>()], ct);

    public ValueTask<long> CountConnectedAsync(CancellationToken ct) =>
        database.ReadAsync(
            session => session.Scalar<long>("SELECT count(*) FROM device_states WHERE connected = 1"), ct);

    public async IAsyncEnumerable<OpenConnection> OpenConnectionsAsync(
        string idPrefix, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = idPrefix; ;)
        {
            var last = after;
            var page = await database.ReadAsync(session => session.List(
                "SELECT device, connection, connected_at FROM device_states WHERE connected = 1 AND connection > ?1 " +
                "AND substr(connection, 1, length(?2)) = ?2 ORDER BY connection LIMIT ?3",
                row => new OpenConnection(row.GetString(0), row.GetString(1), row.TimeOrNull(2)),
                last, idPrefix, PageMax), ct).ConfigureAwait(false);
            foreach (var connection in page) yield return connection;
            if (page.Count < PageMax) yield break;
            after = page[^1].ConnectionId;
        }
    }

    private static DeviceState? Find(SqliteSession session, string deviceId) =>
        session.First($"SELECT {Fields} FROM device_states WHERE device = ?1", Read, deviceId);

    private static void Fold(SqliteSession session, LifecycleEvent e)
    {
        var at = e.At.ToUnixTimeMilliseconds();
        switch (e.Kind)
        {
            case LifecycleKind.Connected:
                session.Run("INSERT INTO device_states VALUES(?1, 1, ?2, ?3, NULL, NULL, ?4) ON CONFLICT DO UPDATE " +
                    "SET connected = 1, connection = ?2, connected_at = ?3, last_seen_at = max(last_seen_at, ?4)",
                    e.DeviceId, e.ConnectionId, (e.ConnectedAt ?? e.At).ToUnixTimeMilliseconds(), at);
                break;
            case LifecycleKind.Disconnected:
                // The end of an older connection says nothing of the one that took over.
                session.Run("UPDATE device_states SET connected = 0, disconnected_at = ?3, reason = ?4, " +
                    "last_seen_at = max(last_seen_at, ?3) WHERE device = ?1 AND connection IS ?2",
                    e.DeviceId, e.ConnectionId, at, e.Reason);
                break;
            case LifecycleKind.Deleted:
                session.Run("DELETE FROM device_states WHERE device = ?1", e.DeviceId);
                break;
            case LifecycleKind.Created:
            case LifecycleKind.Updated:
            default:
                break;
        }
    }

    private static DeviceState Read(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt32(1) == 1, row.TimeOrNull(2), row.TimeOrNull(3), row.TextOrNull(4),
        row.TimeOrNull(5));
}
