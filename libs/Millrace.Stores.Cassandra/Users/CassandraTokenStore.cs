using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Users;

namespace Millrace.Stores.Cassandra.Users;

/// <summary>
/// Tokens are few and lie in one partition. The table by hash only says where to look: what stands at the id decides.
/// What replaces or removes a token is later than it by its own time, whatever the clock says: a token that is revoked
/// counts no more, though it was made by a process whose clock is ahead.
/// </summary>
internal sealed class CassandraTokenStore(CassandraDatabase database) : ITokenStore
{
    private const string Fields = "id, name, sha256, scopes, created_at, expires_at";

    private static readonly StoreStatement Insert = new(
        $"INSERT INTO tokens(hub, {Fields}) VALUES('hub', ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement Replace = new(
        $"INSERT INTO tokens(hub, {Fields}) VALUES('hub', ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?");
    private static readonly StoreStatement InsertHash = new("INSERT INTO tokens_by_hash(sha256, id) VALUES(?, ?)");
    private static readonly StoreStatement Select =
        new($"SELECT {Fields}, WRITETIME(sha256) FROM tokens WHERE hub = 'hub' AND id = ?");
    private static readonly StoreStatement SelectAll = new($"SELECT {Fields} FROM tokens WHERE hub = 'hub'");
    private static readonly StoreStatement SelectHash = new("SELECT id FROM tokens_by_hash WHERE sha256 = ?");
    private static readonly StoreStatement Delete =
        new("DELETE FROM tokens USING TIMESTAMP ? WHERE hub = 'hub' AND id = ?");
    private static readonly StoreStatement DeleteHash = new("DELETE FROM tokens_by_hash WHERE sha256 = ?");

    public async ValueTask SaveAsync(ApiToken token, CancellationToken ct)
    {
        var old = await FindAsync(token.Id, ct).ConfigureAwait(false);
        await database.RunAsync(InsertHash, ct, token.Sha256, token.Id).ConfigureAwait(false);
        object?[] fields = [token.Id, token.Name, token.Sha256, string.Join(' ', token.Scopes), token.CreatedAt,
            token.ExpiresAt];
        if (old is null)
        {
            await database.RunAsync(Insert, ct, fields).ConfigureAwait(false);
            return;
        }

        await database.RunAsync(Replace, ct, [.. fields, old.WrittenAt + 1]).ConfigureAwait(false);
        if (old.Token.Sha256 != token.Sha256)
            await database.RunAsync(DeleteHash, ct, old.Token.Sha256).ConfigureAwait(false);
    }

    public async ValueTask<ApiToken?> FindBySha256Async(string sha256, CancellationToken ct)
    {
        var id = await database.FirstAsync(SelectHash, row => row.Get<string>(0), ct, sha256).ConfigureAwait(false);
        if (id is null) return null;
        var found = await FindAsync(id, ct).ConfigureAwait(false);
        return found?.Token.Sha256 == sha256 ? found.Token : null;
    }

    public async ValueTask<IReadOnlyList<ApiToken>> ListAsync(CancellationToken ct) =>
        await database.ListAsync(SelectAll, Read, ct).ConfigureAwait(false);

    public async ValueTask<bool> DeleteAsync(string id, CancellationToken ct)
    {
        var found = await FindAsync(id, ct).ConfigureAwait(false);
        if (found is null) return false;
        await database.RunAsync(Delete, ct, found.WrittenAt + 1, id).ConfigureAwait(false);
        await database.RunAsync(DeleteHash, ct, found.Token.Sha256).ConfigureAwait(false);
        return true;
    }

    private ValueTask<Written?> FindAsync(string id, CancellationToken ct) =>
        database.FirstAsync(Select, row => new Written(Read(row), row.Get<long>(6)), ct, id);

    private static ApiToken Read(Row row) => new(row.Get<string>(0), row.Get<string>(1), row.Get<string>(2),
        row.Get<string>(3).Split(' ', StringSplitOptions.RemoveEmptyEntries), row.Get<DateTimeOffset>(4),
        row.Get<DateTimeOffset?>(5));

    /// <param name="WrittenAt">In microseconds since 1970, by the clock of who wrote it.</param>
    private sealed record Written(ApiToken Token, long WrittenAt);
}
