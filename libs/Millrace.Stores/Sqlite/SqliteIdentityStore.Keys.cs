using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Sqlite;

/// <summary>Stored keys that go under another key.</summary>
internal sealed partial class SqliteIdentityStore
{
    private const string Renewals = "key-renewals";

    public ValueTask<KeyRenewal> RenewKeysAsync(int limit, string? continuation, CancellationToken ct)
    {
        if (!cipher.HasOther) return ValueTask.FromResult(default(KeyRenewal));
        var after = continuation is null ? "" : ContinuationToken.Read(Renewals, continuation, 1)[0];
        return database.WriteAsync(session =>
        {
            var rows = session.List(
                "SELECT device, primary_key, secondary_key FROM identities WHERE device > ?1 ORDER BY device LIMIT ?2",
                row => new StoredKeys(row.GetString(0), row.Bytes(1), row.Bytes(2)), after, limit);
            var outcomes = rows.Select(row => Renew(session, row)).ToList();
            return new KeyRenewal(outcomes.Count(o => o == true), outcomes.Count(o => o is null),
                rows.Count < limit ? null : ContinuationToken.Write(Renewals, rows[^1].DeviceId));
        }, ct);
    }

    public ValueTask AllKeysRenewedAsync(CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>Whether it had to be; null when its keys cannot be read.</summary>
    private bool? Renew(SqliteSession session, StoredKeys stored)
    {
        try
        {
            if (stored.Renewed(cipher) is not { } renewed) return false;
            return session.Run("UPDATE identities SET primary_key = ?2, secondary_key = ?3 WHERE device = ?1",
                renewed.DeviceId, renewed.Primary, renewed.Secondary) > 0;
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.DeviceKeyUnreadable)
        {
            return null;
        }
    }
}
