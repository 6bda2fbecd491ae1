using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// Where to look: which devices have sessions, what is due when, and whose connections are which node's. What they say
/// is written before a change and taken back after it; so it may say too much, never too little.
/// </summary>
internal sealed class SessionIndexes(CassandraDatabase database)
{
    private const int DueShards = 8;

    private static readonly StoreStatement InsertDevice =
        new("INSERT INTO session_devices(shard, device) VALUES(?, ?)");
    private static readonly StoreStatement SelectDevices =
        new("SELECT device FROM session_devices WHERE shard = ? AND device >= ?");
    private static readonly StoreStatement InsertDue =
        new("INSERT INTO session_due(kind, shard, due_at, device, client, epoch) VALUES(?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement DeleteDue = new("DELETE FROM session_due WHERE kind = ? AND shard = ? "
        + "AND due_at = ? AND device = ? AND client = ? AND epoch = ?");
    private static readonly StoreStatement SelectDue = new("SELECT due_at, device, client, epoch FROM session_due "
        + "WHERE kind = ? AND shard = ? AND due_at >= ? AND due_at <= ? LIMIT ?");
    private static readonly StoreStatement InsertEntry =
        new("INSERT INTO session_connections(node, device, epoch) VALUES(?, ?, ?)");
    private static readonly StoreStatement DeleteEntry =
        new("DELETE FROM session_connections WHERE node = ? AND device = ? AND epoch = ?");
    private static readonly StoreStatement SelectEntries =
        new("SELECT device, epoch FROM session_connections WHERE node = ?");

    private readonly DueBeginnings _beginnings = new(database);

    public async ValueTask AddDeviceAsync(string device, CancellationToken ct) =>
        await database.RunAsync(InsertDevice, ct, Shards.Of(device), device).ConfigureAwait(false);

    /// <summary>Devices of a shard from one on.</summary>
    public ValueTask<List<string>> DevicesAsync(int shard, string from, CancellationToken ct) =>
        database.ListAsync(SelectDevices, row => row.Get<string>(0), ct, shard, from);

    public async ValueTask AddAsync(DueHint hint, CancellationToken ct) =>
        await database.RunAsync(InsertDue, ct, (int)hint.Kind, ShardOf(hint.Device), hint.DueAt, hint.Device,
            hint.Client, hint.Epoch).ConfigureAwait(false);

    public async ValueTask RemoveAsync(DueHint hint, CancellationToken ct) =>
        await database.RunAsync(DeleteDue, ct, (int)hint.Kind, ShardOf(hint.Device), hint.DueAt, hint.Device,
            hint.Client, hint.Epoch).ConfigureAwait(false);

    /// <summary>What is due, the oldest first.</summary>
    public async ValueTask<List<DueHint>> DueAsync(DueKind kind, DateTimeOffset now, int max, CancellationToken ct)
    {
        var hints = await InFlight.SelectAsync([.. Enumerable.Range(0, DueShards)], ct, (shard, token) =>
            DueAsync(kind, shard, now, max, token)).ConfigureAwait(false);
        return [.. hints.SelectMany(some => some).OrderBy(hint => hint.DueAt).Take(max)];
    }

    private async ValueTask<List<DueHint>> DueAsync(
        DueKind kind, int shard, DateTimeOffset now, int max, CancellationToken ct)
    {
        var from = await _beginnings.FindAsync(kind, shard, now, ct).ConfigureAwait(false);
        var hints = await database.ListAsync(SelectDue, row => new DueHint(kind, row.Get<long>(0),
            row.Get<string>(1), row.Get<string>(2), row.Get<long>(3)), ct, (int)kind, shard, from,
            now.ToUnixTimeMilliseconds(), max).ConfigureAwait(false);
        if (hints.Count > 0) await _beginnings.MoveAsync(kind, shard, hints[0].DueAt, ct).ConfigureAwait(false);
        return hints;
    }

    public async ValueTask AddAsync(NodeEntry entry, CancellationToken ct) =>
        await database.RunAsync(InsertEntry, ct, entry.Node, entry.Device, entry.Epoch).ConfigureAwait(false);

    public async ValueTask RemoveAsync(NodeEntry entry, CancellationToken ct) =>
        await database.RunAsync(DeleteEntry, ct, entry.Node, entry.Device, entry.Epoch).ConfigureAwait(false);

    public ValueTask<List<NodeEntry>> EntriesAsync(string node, CancellationToken ct) => database.ListAsync(
        SelectEntries, row => new NodeEntry(node, row.Get<string>(0), row.Get<long>(1)), ct, node);

    public static int ShardOf(string device) => Shards.Of(device) % DueShards;
}
