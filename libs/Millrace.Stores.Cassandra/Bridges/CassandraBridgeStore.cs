using System.Text.Json;
using Millrace.Stores.Bridges;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Bridges;

/// <summary>A session has one writer; statuses lie in one partition, and go a week after the last word.</summary>
internal sealed class CassandraBridgeStore(CassandraDatabase database) : IBridgeStore
{
    private static readonly int StatusSeconds = (int)TimeSpan.FromDays(7).TotalSeconds;

    private static readonly StoreStatement InsertSession =
        new("INSERT INTO bridge_sessions(name, client, session) VALUES(?, ?, ?)");
    private static readonly StoreStatement SelectSession =
        new("SELECT session FROM bridge_sessions WHERE name = ? AND client = ?");
    private static readonly StoreStatement InsertStatus = new(
        "INSERT INTO bridge_statuses(hub, name, client, status) VALUES('hub', ?, ?, ?) USING TTL ?");
    private static readonly StoreStatement SelectStatuses =
        new("SELECT status FROM bridge_statuses WHERE hub = 'hub'");

    public async ValueTask SaveSessionAsync(BridgeSession session, CancellationToken ct) =>
        await database.RunAsync(InsertSession, ct, session.Name, session.ClientId, JsonSerializer.Serialize(session))
            .ConfigureAwait(false);

    public ValueTask<BridgeSession?> FindSessionAsync(string name, string clientId, CancellationToken ct) =>
        database.FirstAsync(SelectSession, row => JsonSerializer.Deserialize<BridgeSession>(row.Get<string>(0)), ct,
            name, clientId);

    public async ValueTask WriteStatusAsync(BridgeStatus status, CancellationToken ct) =>
        await database.RunAsync(InsertStatus, ct, status.Name, status.ClientId, JsonSerializer.Serialize(status),
            StatusSeconds).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<BridgeStatus>> ListStatusAsync(DateTimeOffset after, CancellationToken ct)
    {
        var all = await database.ListAsync(SelectStatuses,
            row => JsonSerializer.Deserialize<BridgeStatus>(row.Get<string>(0))!, ct).ConfigureAwait(false);
        return all.FindAll(status => status.UpdatedAt > after);
    }
}
