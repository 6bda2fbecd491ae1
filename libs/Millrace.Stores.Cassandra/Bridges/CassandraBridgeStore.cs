using System.Collections.Concurrent;
using System.Text.Json;
using Millrace.Stores.Bridges;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Bridges;

/// <summary>
/// A session has one writer, who is later than what was there by the session's own time, whatever the clock says: a
/// session of a gateway whose clock was ahead would hold packet ids that mean other messages now. Statuses lie in one
/// partition, and go a week after the last word.
/// </summary>
internal sealed class CassandraBridgeStore(CassandraDatabase database, TimeProvider time) : IBridgeStore
{
    private static readonly int StatusSeconds = (int)TimeSpan.FromDays(7).TotalSeconds;

    private static readonly StoreStatement InsertSession =
        new("INSERT INTO bridge_sessions(name, client, session) VALUES(?, ?, ?) USING TIMESTAMP ?");
    private static readonly StoreStatement SelectSession =
        new("SELECT session, WRITETIME(session) FROM bridge_sessions WHERE name = ? AND client = ?");
    private static readonly StoreStatement InsertStatus = new(
        "INSERT INTO bridge_statuses(hub, name, client, status) VALUES('hub', ?, ?, ?) USING TTL ?");
    private static readonly StoreStatement SelectStatuses =
        new("SELECT status FROM bridge_statuses WHERE hub = 'hub'");

    /// <summary>By session, when it was written last by its own time.</summary>
    private readonly ConcurrentDictionary<(string Name, string Client), long> _writtenAt = new();

    public async ValueTask SaveSessionAsync(BridgeSession session, CancellationToken ct)
    {
        var now = Times.Microseconds(time.GetUtcNow());
        var at = _writtenAt.AddOrUpdate(
            (session.Name, session.ClientId), now, (_, last) => Math.Max(last + 1, now));
        var text = JsonSerializer.Serialize(session);
        await database.RunAsync(InsertSession, ct, session.Name, session.ClientId, text, at).ConfigureAwait(false);
    }

    public async ValueTask<BridgeSession?> FindSessionAsync(string name, string clientId, CancellationToken ct)
    {
        var found = await database.FirstAsync(SelectSession, row => new Written(
            JsonSerializer.Deserialize<BridgeSession>(row.Get<string>(0))!, row.Get<long>(1)), ct, name, clientId)
            .ConfigureAwait(false);
        if (found is null) return null;
        _writtenAt.AddOrUpdate((name, clientId), found.At, (_, last) => Math.Max(last, found.At));
        return found.Session;
    }

    public async ValueTask WriteStatusAsync(BridgeStatus status, CancellationToken ct) =>
        await database.RunAsync(InsertStatus, ct, status.Name, status.ClientId, JsonSerializer.Serialize(status),
            StatusSeconds).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<BridgeStatus>> ListStatusAsync(DateTimeOffset after, CancellationToken ct)
    {
        var all = await database.ListAsync(SelectStatuses,
            row => JsonSerializer.Deserialize<BridgeStatus>(row.Get<string>(0))!, ct).ConfigureAwait(false);
        return all.FindAll(status => status.UpdatedAt > after);
    }

    /// <param name="At">In microseconds since 1970, by the clock of who wrote it.</param>
    private sealed record Written(BridgeSession Session, long At);
}
