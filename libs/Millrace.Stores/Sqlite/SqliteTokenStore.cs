using Microsoft.Data.Sqlite;
using Millrace.Stores.Users;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteTokenStore(SqliteDatabase database) : ITokenStore
{
    private const string Select = "SELECT id, name, sha256, scopes, created_at, expires_at FROM tokens";

    public ValueTask SaveAsync(ApiToken token, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("INSERT OR REPLACE INTO tokens VALUES(?1, ?2, ?3, ?4, ?5, ?6)", token.Id, token.Name,
                token.Sha256, string.Join(' ', token.Scopes), token.CreatedAt.ToUnixTimeMilliseconds(),
                token.ExpiresAt?.ToUnixTimeMilliseconds());
        }, ct);

    public ValueTask<ApiToken?> FindBySha256Async(string sha256, CancellationToken ct) =>
        database.ReadAsync(session => session.First($"{Select} WHERE sha256 = ?1", Read, sha256), ct);

    public ValueTask<IReadOnlyList<ApiToken>> ListAsync(CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<ApiToken>>(session => session.List($"{Select} ORDER BY id", Read), ct);

    public ValueTask<bool> DeleteAsync(string id, CancellationToken ct) =>
        database.WriteAsync(session => session.Run("DELETE FROM tokens WHERE id = ?1", id) > 0, ct);

    private static ApiToken Read(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2),
        row.GetString(3).Split(' ', StringSplitOptions.RemoveEmptyEntries), row.Time(4), row.TimeOrNull(5));
}
