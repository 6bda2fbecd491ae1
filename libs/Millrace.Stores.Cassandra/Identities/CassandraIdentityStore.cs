using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>
/// Devices lie in shards, in each by their ids; a list is merged from all of them and reads no more than a little past
/// what it gives. Rows are changed by compare-and-set alone.
/// </summary>
internal sealed partial class CassandraIdentityStore(CassandraDatabase database, DeviceKeys keys) : IIdentityStore
{
    private const int RowsOfBatch = 50;
    private const string Fields = "device, generation, status, status_reason, authentication, primary_key, "
        + "secondary_key, primary_thumbprint, secondary_thumbprint, tags, created_at, updated_at, version";

    private static readonly StoreStatement Insert = new($"INSERT INTO identities({Fields}, shard) "
        + "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS");
    private static readonly StoreStatement Update = new("UPDATE identities SET generation = ?, status = ?, "
        + "status_reason = ?, authentication = ?, primary_key = ?, secondary_key = ?, primary_thumbprint = ?, "
        + "secondary_thumbprint = ?, tags = ?, created_at = ?, updated_at = ?, version = ? "
        + "WHERE device = ? AND shard = ? IF generation = ? AND version = ?");
    private static readonly StoreStatement SelectRevision =
        new("SELECT generation, version FROM identities WHERE shard = ? AND device = ?");
    private static readonly StoreStatement Select =
        new($"SELECT {Fields} FROM identities WHERE shard = ? AND device = ?");
    private static readonly StoreStatement SelectThere =
        new("SELECT device FROM identities WHERE shard = ? AND device IN ?");
    private static readonly StoreStatement Count = new("SELECT count(*) FROM identities WHERE shard = ?");

    public async ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct) =>
        (await CreateManyAsync([identity], ct).ConfigureAwait(false)).Count == 0;

    public async ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<DeviceIdentity> identities, CancellationToken ct)
    {
        // Of two of one id the first is made, and the second finds it.
        var news = identities.DistinctBy(identity => identity.DeviceId).ToList();
        var twice = identities.Count - news.Count == 0
            ? []
            : identities.Except(news, ReferenceEqualityComparer.Instance).Cast<DeviceIdentity>();
        var parts = news.GroupBy(identity => Shards.Of(identity.DeviceId))
            .SelectMany(shard => shard.Chunk(RowsOfBatch)).ToList();
        var there = await InFlight.SelectAsync(parts, ct, CreatePartAsync).ConfigureAwait(false);
        var known = there.SelectMany(ids => ids).ToHashSet();
        known.UnionWith(twice.Select(identity => identity.DeviceId));
        return [.. identities.Select(identity => identity.DeviceId).Distinct().Where(known.Contains)];
    }

    public async ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct)
    {
        var cipher = await keys.CipherAsync(ct).ConfigureAwait(false);
        return await database.FirstAsync(Select, row => Read(cipher, row), ct, Shards.Of(deviceId), deviceId)
            .ConfigureAwait(false);
    }

    public ValueTask<DeviceRevision?> FindRevisionAsync(string deviceId, CancellationToken ct) =>
        database.FirstAsync(SelectRevision,
            row => new DeviceRevision(row.Get<string>(0), row.Get<long>(1)), ct, Shards.Of(deviceId), deviceId);

    public async ValueTask<bool> UpdateAsync(DeviceIdentity identity, long expectedVersion, CancellationToken ct)
    {
        var bound = await database.BindAsync(Update, ct).ConfigureAwait(false);
        await AddValuesAsync(bound, identity, expectedVersion + 1, isNew: false, ct).ConfigureAwait(false);
        bound.Add(identity.DeviceId).Add(Shards.Of(identity.DeviceId)).Add(identity.GenerationId).Add(expectedVersion);
        return (await database.RunAsync(bound, ct).ConfigureAwait(false)).Applied;
    }

    /// <summary>The nodes read all devices for it.</summary>
    public ValueTask<long> CountAsync(CancellationToken ct) => InFlight.CountAsync(Shards.All, ct, (shard, token) =>
        database.FirstAsync(Count, row => row.Get<long>(0), token, shard));

    /// <summary>Makes devices of one shard together; returns the ids of those that are there already.</summary>
    private async ValueTask<IReadOnlyList<string>> CreatePartAsync(DeviceIdentity[] part, CancellationToken ct)
    {
        var shard = Shards.Of(part[0].DeviceId);
        var ids = part.Select(identity => identity.DeviceId).ToList();
        while (true)
        {
            var there = await database.ListAsync(SelectThere, row => row.Get<string>(0), ct, shard, ids)
                .ConfigureAwait(false);
            var batch = BatchStatement.Rent();
            foreach (var identity in part.Where(identity => !there.Contains(identity.DeviceId)))
            {
                var bound = await database.BindAsync(Insert, ct).ConfigureAwait(false);
                bound.Add(identity.DeviceId);
                await AddValuesAsync(bound, identity, identity.Version, isNew: true, ct).ConfigureAwait(false);
                batch.Add(bound.Add(shard));
            }

            // Not applied: somebody has made one of them since they were looked for.
            if (batch.Count == 0 || (await database.RunAsync(batch, ct).ConfigureAwait(false)).Applied) return there;
        }
    }

    /// <param name="isNew">It has no cells that would have to go: null would write tombstones.</param>
    private async ValueTask AddValuesAsync(
        BoundStatement bound, DeviceIdentity identity, long version, bool isNew, CancellationToken ct)
    {
        var cipher = await keys.CipherAsync(ct).ConfigureAwait(false);
        bound.Add(identity.GenerationId).Add((int)identity.Status);
        AddText(identity.StatusReason);
        bound.Add((int)identity.Authentication)
            .Add(cipher.Encrypt(identity.DeviceId, KeySlot.Primary, identity.PrimaryKey))
            .Add(cipher.Encrypt(identity.DeviceId, KeySlot.Secondary, identity.SecondaryKey));
        AddText(identity.PrimaryThumbprint);
        AddText(identity.SecondaryThumbprint);
        bound.Add(identity.TagsJson).Add(identity.CreatedAt).Add(identity.UpdatedAt).Add(version);

        void AddText(string? text) => _ = text is null && isNew ? bound.AddUnset() : bound.Add(text);
    }
}
