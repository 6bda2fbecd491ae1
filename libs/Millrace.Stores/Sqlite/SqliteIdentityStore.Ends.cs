using Millrace.Stores.Identities;

namespace Millrace.Stores.Sqlite;

/// <summary>Devices that go, and those of which it is to be told still.</summary>
internal sealed partial class SqliteIdentityStore
{
    public ValueTask<bool> DeleteAsync(
        string deviceId, DeviceRevision expected, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            var isDeleted = session.Run(
                "DELETE FROM identities WHERE device = ?1 AND generation = ?2 AND version = ?3",
                deviceId, expected.GenerationId, expected.Version) > 0;
            if (isDeleted)
            {
                session.Run("INSERT OR REPLACE INTO device_ends_due VALUES(?1, ?2, ?3)",
                    deviceId, expected.GenerationId, at.ToUnixTimeMilliseconds());
            }

            return isDeleted;
        }, ct);

    public ValueTask<IReadOnlyList<DeviceEnd>> ListUntoldEndsAsync(CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<DeviceEnd>>(session => session.List(
            "SELECT device, generation, at FROM device_ends_due",
            row => new DeviceEnd(row.GetString(0), row.GetString(1), row.GetInt64(2))), ct);

    public async ValueTask EndToldAsync(DeviceEnd end, CancellationToken ct) =>
        await database.WriteAsync(session => session.Run(
            "DELETE FROM device_ends_due WHERE device = ?1 AND generation = ?2", end.DeviceId, end.GenerationId), ct)
            .ConfigureAwait(false);
}
