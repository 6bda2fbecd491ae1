using System.Text.Json;
using Millrace.Stores.Bridges;

namespace Millrace.Stores.Sqlite;

/// <summary>Sessions are durable; what a bridge says of itself is not worth a disk sync.</summary>
internal sealed class SqliteBridgeStore(SqliteDatabase database, SqliteDatabase warm) : IBridgeStore
{
    public ValueTask SaveSessionAsync(BridgeSession session, CancellationToken ct) =>
        database.WriteAsync(sql =>
        {
            sql.Run("INSERT OR REPLACE INTO bridge_sessions VALUES(?1, ?2, ?3)", session.Name, session.ClientId,
                JsonSerializer.Serialize(session));
        }, ct);

    public ValueTask<BridgeSession?> FindSessionAsync(string name, string clientId, CancellationToken ct) =>
        database.ReadAsync(sql => sql.First("SELECT session FROM bridge_sessions WHERE name = ?1 AND client = ?2",
            row => JsonSerializer.Deserialize<BridgeSession>(row.GetString(0))!, name, clientId), ct);

    public ValueTask WriteStatusAsync(BridgeStatus status, CancellationToken ct) =>
        warm.WriteAsync(sql =>
        {
            sql.Run("INSERT OR REPLACE INTO bridge_statuses VALUES(?1, ?2, ?3, ?4)", status.Name, status.ClientId,
                status.UpdatedAt.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(status));
        }, ct);

    public ValueTask<IReadOnlyList<BridgeStatus>> ListStatusAsync(DateTimeOffset after, CancellationToken ct) =>
        warm.ReadAsync<IReadOnlyList<BridgeStatus>>(sql => sql.List(
            "SELECT status FROM bridge_statuses WHERE updated_at > ?1 ORDER BY name, client",
            row => JsonSerializer.Deserialize<BridgeStatus>(row.GetString(0))!, after.ToUnixTimeMilliseconds()), ct);
}
