using System.Text.Json;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// A device is one partition: the heads of its sessions, their subscriptions, wills and messages, which are changed by
/// compare-and-set on the device's version.
/// </summary>
internal sealed class SessionRows(CassandraDatabase database)
{
    private const int HeadKind = 0, SubscriptionsKind = 1, WillKind = 2;

    private static readonly StoreStatement Select = new(
        "SELECT version, last_epoch, kind, client, number, data FROM sessions WHERE device = ? AND kind < 3");
    private static readonly StoreStatement SelectVersion =
        new("SELECT version, last_epoch FROM sessions WHERE device = ? LIMIT 1");
    private static readonly StoreStatement Change =
        new("UPDATE sessions SET version = ?, last_epoch = ? WHERE device = ? IF version = ?");
    private static readonly StoreStatement Insert =
        new("INSERT INTO sessions(device, kind, client, number, data) VALUES(?, ?, ?, ?, ?)");
    private static readonly StoreStatement Delete =
        new("DELETE FROM sessions WHERE device = ? AND kind = ? AND client = ? AND number = ?");
    private static readonly StoreStatement DeleteMessages =
        new("DELETE FROM sessions WHERE device = ? AND kind = 3 AND client = ?");

    public async ValueTask<DeviceSessions> ReadAsync(string device, CancellationToken ct)
    {
        if (await FindAsync(device, ct).ConfigureAwait(false) is { } sessions) return sessions;

        // Without such rows the version is not among them. It is read before they are looked for again: what changes
        // after it was read makes a change fail and look again.
        var none = await database.FirstAsync(SelectVersion, row => Of(device, row), ct, device).ConfigureAwait(false);
        return await FindAsync(device, ct).ConfigureAwait(false) ?? none ?? new DeviceSessions(device, null, 0);
    }

    private async ValueTask<DeviceSessions?> FindAsync(string device, CancellationToken ct)
    {
        DeviceSessions? sessions = null;
        var select = await database.BindAsync(Select, ct, device).ConfigureAwait(false);
        var rows = database.ReadAsync(select, row =>
        {
            var all = sessions ??= Of(device, row);
            if (!row.IsNull(2)) Read(all, row);
            return all;
        }, ct, device);
        await foreach (var all in rows.ConfigureAwait(false)) sessions = all;
        return sessions;
    }

    /// <summary>False, and nothing is changed, when somebody has changed the device since it was read.</summary>
    public async ValueTask<bool> TryChangeAsync(
        DeviceSessions before, DeviceSessions after, IEnumerable<BoundStatement> messages, CancellationToken ct)
    {
        var version = Guid.NewGuid();
        var batch = BatchStatement.Rent();
        batch.Add(await database.BindAsync(Change, ct, version, after.LastEpoch, before.Device, before.Version)
            .ConfigureAwait(false));
        foreach (var (statement, values) in Differences(before, after))
            batch.Add(await database.BindAsync(statement, ct, values).ConfigureAwait(false));
        foreach (var message in messages) batch.Add(message);
        try
        {
            return (await database.RunAsync(batch, ct).ConfigureAwait(false)).Applied;
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.Unavailable)
        {
            // Whether it took effect nobody has said; what stands there does.
            var now = await VersionAsync(before.Device, ct).ConfigureAwait(false);
            if (now == version) return true;
            if (now == before.Version) return false;
            throw;
        }
    }

    public static bool AreSame(DeviceSessions before, DeviceSessions after) =>
        before.LastEpoch == after.LastEpoch && !Differences(before, after).Any();

    private async ValueTask<Guid?> VersionAsync(string device, CancellationToken ct)
    {
        var bound = await database.BindAsync(SelectVersion, ct, device).ConfigureAwait(false);
        bound.Consistency = Consistency.LocalSerial;
        var rows = await database.RunAsync(bound, ct).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0].Get<Guid?>(0);
    }

    private static IEnumerable<(StoreStatement, object?[])> Differences(DeviceSessions before, DeviceSessions after)
    {
        var device = before.Device;
        foreach (var (client, old) in before.Heads)
        {
            var head = after.Heads.GetValueOrDefault(client);
            if (head is null) yield return (Delete, [device, HeadKind, client, 0L]);
            if (head?.SessionId != old.SessionId) yield return (DeleteMessages, [device, client]);
        }

        foreach (var (client, head) in after.Heads)
        {
            if (before.Heads.GetValueOrDefault(client) != head)
                yield return (Insert, [device, HeadKind, client, 0L, Json(head)]);
        }

        foreach (var client in before.Subscriptions.Keys.Where(client => !after.Subscriptions.ContainsKey(client)))
            yield return (Delete, [device, SubscriptionsKind, client, 0L]);
        foreach (var (client, list) in after.Subscriptions)
        {
            if (before.Subscriptions.GetValueOrDefault(client) != list)
                yield return (Insert, [device, SubscriptionsKind, client, 0L, Json(list)]);
        }

        foreach (var will in before.Wills.Values.Where(will => !after.Wills.ContainsKey(will.Epoch)))
            yield return (Delete, [device, WillKind, will.Client, will.Epoch]);
        foreach (var will in after.Wills.Values)
        {
            if (before.Wills.GetValueOrDefault(will.Epoch) != will)
                yield return (Insert, [device, WillKind, will.Client, will.Epoch, Json(will)]);
        }
    }

    private static DeviceSessions Of(string device, Row row) =>
        new(device, row.Get<Guid?>(0), row.Get<long?>(1) ?? 0);

    private static void Read(DeviceSessions sessions, Row row)
    {
        var (client, data) = (row.Get<string>(3), row.Get<string>(5));
        switch (row.Get<int>(2))
        {
            case HeadKind:
                sessions.Heads.Add(client, JsonSerializer.Deserialize<SessionHead>(data)!);
                break;
            case SubscriptionsKind:
                sessions.Subscriptions.Add(client, JsonSerializer.Deserialize<List<SessionSubscription>>(data)!);
                break;
            default:
                sessions.Wills.Add(row.Get<long>(4), JsonSerializer.Deserialize<WillRow>(data)!);
                break;
        }
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value);
}
