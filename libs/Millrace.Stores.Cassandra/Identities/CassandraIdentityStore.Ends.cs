using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>
/// Devices that go, and those of which it is to be told still. That one may go is written before it goes: the list may
/// say too much, and never too little.
/// </summary>
internal sealed partial class CassandraIdentityStore
{
    public static readonly Migration EndsDue = new("ends of devices that are to be told", """
        CREATE TABLE IF NOT EXISTS device_ends_due(shard int, device text, generation text, at bigint,
          PRIMARY KEY(shard, device, generation)) WITH gc_grace_seconds = 600
        """);

    private static readonly StoreStatement Delete =
        new("DELETE FROM identities WHERE shard = ? AND device = ? IF generation = ? AND version = ?");
    private static readonly StoreStatement InsertDue =
        new("INSERT INTO device_ends_due(shard, device, generation, at) VALUES(?, ?, ?, ?)");
    private static readonly StoreStatement SelectDue =
        new("SELECT device, generation, at FROM device_ends_due WHERE shard = ?");
    private static readonly StoreStatement DeleteDue =
        new("DELETE FROM device_ends_due WHERE shard = ? AND device = ? AND generation = ?");

    public async ValueTask<bool> DeleteAsync(
        string deviceId, DeviceRevision expected, DateTimeOffset at, CancellationToken ct)
    {
        var shard = Shards.Of(deviceId);
        await database.RunAsync(InsertDue, ct, shard, deviceId, expected.GenerationId, at.ToUnixTimeMilliseconds())
            .ConfigureAwait(false);
        return (await database.RunAsync(Delete, ct, shard, deviceId, expected.GenerationId, expected.Version)
            .ConfigureAwait(false)).Applied;
    }

    public async ValueTask<IReadOnlyList<DeviceEnd>> ListUntoldEndsAsync(CancellationToken ct)
    {
        var ends = await InFlight.SelectAsync(Shards.All, ct, (shard, token) => database.ListAsync(SelectDue,
            row => new DeviceEnd(row.Get<string>(0), row.Get<string>(1), row.Get<long>(2)), token, shard))
            .ConfigureAwait(false);
        return [.. ends.SelectMany(some => some)];
    }

    public async ValueTask EndToldAsync(DeviceEnd end, CancellationToken ct) =>
        await database.RunAsync(DeleteDue, ct, Shards.Of(end.DeviceId), end.DeviceId, end.GenerationId)
            .ConfigureAwait(false);
}
