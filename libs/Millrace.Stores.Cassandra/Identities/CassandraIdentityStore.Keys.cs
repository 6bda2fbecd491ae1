using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>Stored keys that go under another key.</summary>
internal sealed partial class CassandraIdentityStore
{
    private const string Renewals = "key-renewals";

    private static readonly StoreStatement UpdateKeys = new("UPDATE identities SET primary_key = ?, "
        + "secondary_key = ? WHERE device = ? AND shard = ? IF generation = ? AND version = ?");

    public async ValueTask<KeyRenewal> RenewKeysAsync(int limit, string? continuation, CancellationToken ct)
    {
        var cipher = await keys.CipherAsync(ct).ConfigureAwait(false);
        if (!cipher.HasOther) return default;
        var after = continuation is null ? null : ContinuationToken.Read(Renewals, continuation, 1)[0];
        var page = await Paging.TakeAsync(MergeAsync("", after, limit, ct), limit,
            last => ContinuationToken.Write(Renewals, last.Get<string>(0)), ct).ConfigureAwait(false);
        var outcomes = await InFlight.SelectAsync(page.Items, ct, (row, token) => RenewAsync(cipher, row, token))
            .ConfigureAwait(false);
        return new KeyRenewal(outcomes.Count(o => o == true), outcomes.Count(o => o is null), page.Continuation);
    }

    public ValueTask AllKeysRenewedAsync(CancellationToken ct) => keys.AllRenewedAsync(ct);

    /// <summary>Whether it had to be; null when its keys cannot be read or somebody changed them just now.</summary>
    private async ValueTask<bool?> RenewAsync(DeviceKeyCipher cipher, Row row, CancellationToken ct)
    {
        var stored = new StoredKeys(row.Get<string>(0), row.Bytes(5).ToArray(), row.Bytes(6).ToArray());
        StoredKeys? renewed;
        try
        {
            renewed = stored.Renewed(cipher);
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.DeviceKeyUnreadable)
        {
            return null;
        }

        if (renewed is not { } present) return false;
        var answer = await database.RunAsync(UpdateKeys, ct, present.Primary, present.Secondary,
            present.DeviceId, Shards.Of(present.DeviceId), row.Get<string>(1), row.Get<long>(12)).ConfigureAwait(false);
        return answer.Applied ? true : null;
    }
}
