using Microsoft.Data.Sqlite;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Sqlite;

internal sealed partial class SqliteIdentityStore(SqliteDatabase database, DeviceKeyCipher cipher) : IIdentityStore
{
    private const string List = "identities";
    private const string Fields =
        "device, generation, status, status_reason, authentication, primary_key, secondary_key, primary_thumbprint, " +
        "secondary_thumbprint, tags, created_at, updated_at, version";

    /// <summary>The store, with the file's key, which is made when there is no device yet.</summary>
    public static SqliteIdentityStore Open(SqliteDatabase database, string keyFile, string? otherKeyFile)
    {
        var empty = database.Read(session => session.Scalar<object>("SELECT 1 FROM identities LIMIT 1")) is null;
        return new SqliteIdentityStore(database, DeviceKeyFile.Open(keyFile, mayMake: empty, otherKeyFile));
    }

    public ValueTask<bool> CreateAsync(DeviceIdentity identity, CancellationToken ct) =>
        database.WriteAsync(session => Insert(session, identity), ct);

    public ValueTask<IReadOnlyList<string>> CreateManyAsync(
        IReadOnlyList<DeviceIdentity> identities, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyList<string>>(session =>
            [.. identities.Where(i => !Insert(session, i)).Select(i => i.DeviceId)], ct);

    public ValueTask<DeviceIdentity?> FindAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            $"SELECT {Fields} FROM identities WHERE device = ?1", Read, deviceId), ct);

    public ValueTask<DeviceRevision?> FindRevisionAsync(string deviceId, CancellationToken ct) =>
        database.ReadAsync(session => session.First("SELECT generation, version FROM identities WHERE device = ?1",
            row => new DeviceRevision(row.GetString(0), row.GetInt64(1)), deviceId), ct);

    public ValueTask<bool> UpdateAsync(DeviceIdentity identity, long expectedVersion, CancellationToken ct) =>
        database.WriteAsync(session => session.Run(
            "UPDATE identities SET status = ?3, status_reason = ?4, authentication = ?5, primary_key = ?6, " +
            "secondary_key = ?7, primary_thumbprint = ?8, secondary_thumbprint = ?9, tags = ?10, created_at = ?11, " +
            "updated_at = ?12, version = ?13 + 1 WHERE device = ?1 AND generation = ?2 AND version = ?13",
            Values(identity, expectedVersion)) > 0, ct);

    public ValueTask<Page<DeviceIdentity>> ListAsync(
        DeviceFilter filter, int limit, string? continuation, CancellationToken ct)
    {
        var page = new FilteredPage<DeviceIdentity>(filter.Matches, limit, filter.LookedAtMax);
        var prefix = filter.IdPrefix ?? "";
        var after = continuation is null ? null : ContinuationToken.Read(List, continuation, 1)[0];

        // One lower bound alone: SQLite begins at the first that it reads, and passes over all up to the other.
        var isAfter = after is not null && string.CompareOrdinal(after, prefix) >= 0;
        var begins = isAfter ? ">" : ">=";
        return database.ReadAsync(session =>
        {
            var hasMore = session.ListUntil($"SELECT {Fields} FROM identities WHERE device {begins} ?1 " +
                "AND device < ?2 ORDER BY device", row => IsBehind(page, row), isBehind => isBehind,
                isAfter ? after : prefix, prefix + char.MaxValue).LastOrDefault();
            return page.End(hasMore, last => ContinuationToken.Write(List, last.DeviceId));
        }, ct);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT count(*) FROM identities"), ct);

    /// <summary>Whether the row belongs to the page after this one; else it is in it, if it is to be.</summary>
    private bool IsBehind(FilteredPage<DeviceIdentity> page, SqliteDataReader row)
    {
        if (page.IsFull) return true;
        if (page.Takes(ReadWithoutKeys(row))) page.Add(ReadForList(row));
        return false;
    }

    private bool Insert(SqliteSession session, DeviceIdentity identity) => session.Run(
        "INSERT OR IGNORE INTO identities VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        Values(identity, identity.Version)) > 0;

    private object?[] Values(DeviceIdentity i, long version) =>
    [
        i.DeviceId, i.GenerationId, (int)i.Status, i.StatusReason, (int)i.Authentication,
        cipher.Encrypt(i.DeviceId, KeySlot.Primary, i.PrimaryKey),
        cipher.Encrypt(i.DeviceId, KeySlot.Secondary, i.SecondaryKey), i.PrimaryThumbprint,
        i.SecondaryThumbprint, i.TagsJson, i.CreatedAt.ToUnixTimeMilliseconds(), i.UpdatedAt.ToUnixTimeMilliseconds(),
        version,
    ];

    private DeviceIdentity Read(SqliteDataReader row)
    {
        var identity = ReadWithoutKeys(row);
        return identity with
        {
            PrimaryKey = cipher.Decrypt(identity.DeviceId, KeySlot.Primary, row.Bytes(5)),
            SecondaryKey = cipher.Decrypt(identity.DeviceId, KeySlot.Secondary, row.Bytes(6)),
        };
    }

    private DeviceIdentity ReadForList(SqliteDataReader row)
    {
        try
        {
            return Read(row);
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.DeviceKeyUnreadable)
        {
            StoreMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", e.Error.Code));
            return ReadWithoutKeys(row);
        }
    }

    private static DeviceIdentity ReadWithoutKeys(SqliteDataReader row) => new()
    {
        DeviceId = row.GetString(0),
        GenerationId = row.GetString(1),
        Status = (DeviceStatus)row.GetInt32(2),
        StatusReason = row.TextOrNull(3),
        Authentication = (DeviceAuthentication)row.GetInt32(4),
        PrimaryThumbprint = row.TextOrNull(7),
        SecondaryThumbprint = row.TextOrNull(8),
        TagsJson = row.GetString(9),
        CreatedAt = row.Time(10),
        UpdatedAt = row.Time(11),
        Version = row.GetInt64(12),
    };
}
