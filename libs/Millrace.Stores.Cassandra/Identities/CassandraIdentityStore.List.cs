using System.Runtime.CompilerServices;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>Devices in the order of their ids' bytes, which is that of the tables too.</summary>
internal sealed partial class CassandraIdentityStore
{
    private const string List = "identities";

    private static readonly StoreStatement SelectFrom =
        new($"SELECT {Fields} FROM identities WHERE shard = ? AND device >= ? AND device < ? LIMIT ?");
    private static readonly StoreStatement SelectAfter =
        new($"SELECT {Fields} FROM identities WHERE shard = ? AND device > ? AND device < ? LIMIT ?");

    public async ValueTask<Page<DeviceIdentity>> ListAsync(
        DeviceFilter filter, int limit, string? continuation, CancellationToken ct)
    {
        var page = new FilteredPage<DeviceIdentity>(filter.Matches, limit, filter.LookedAtMax);
        var after = continuation is null ? null : ContinuationToken.Read(List, continuation, 1)[0];
        var cipher = await keys.CipherAsync(ct).ConfigureAwait(false);
        await foreach (var row in MergeAsync(filter.IdPrefix ?? "", after, limit, ct).ConfigureAwait(false))
        {
            if (page.IsFull) return page.End(hasMore: true, TokenAfter);
            if (page.Takes(row.Read(ReadWithoutKeys, "device"))) page.Add(ReadForList(cipher, row));
        }

        return page.End(hasMore: false, TokenAfter);
    }

    private static string TokenAfter(DeviceIdentity last) => ContinuationToken.Write(List, last.DeviceId);

    private async IAsyncEnumerable<Row> MergeAsync(
        string prefix, string? after, int limit, [EnumeratorCancellation] CancellationToken ct)
    {
        // Twice a shard's part of the page, so that few of them have to be asked again.
        var size = limit / Shards.Count * 2 + 4;
        var end = prefix + char.MaxValue;
        var isAfter = after is not null && string.CompareOrdinal(after, prefix) >= 0;
        var shards = Shards.All.Select(shard => new IdentityShard((last, count) => last is not null || isAfter
            ? RowsAsync(SelectAfter, shard, last ?? after!, end, count, ct)
            : RowsAsync(SelectFrom, shard, prefix, end, count, ct), size)).ToList();
        await ReadAsync(shards, ct).ConfigureAwait(false);

        var queue = new PriorityQueue<IdentityShard, string>(StringComparer.Ordinal);
        foreach (var shard in shards)
        {
            if (shard.Move()) queue.Enqueue(shard, shard.DeviceId);
        }

        while (queue.TryDequeue(out var least, out _))
        {
            yield return least.Current;

            // Ids are spread evenly: when one shard is at its end, many are near it.
            if (least.IsSpent) await ReadAsync(shards.Where(shard => shard.IsLow), ct).ConfigureAwait(false);
            if (least.Move()) queue.Enqueue(least, least.DeviceId);
        }
    }

    private static Task ReadAsync(IEnumerable<IdentityShard> shards, CancellationToken ct) =>
        InFlight.ForEachAsync(shards, ct, (shard, _) => shard.ReadAsync());

    private ValueTask<List<Row>> RowsAsync(
        StoreStatement select, int shard, string from, string end, int size, CancellationToken ct) =>
        database.ListAsync(select, row => row, ct, shard, from, end, size);

    private static DeviceIdentity Read(DeviceKeyCipher cipher, Row row)
    {
        var identity = ReadWithoutKeys(row);
        return identity with
        {
            PrimaryKey = cipher.Decrypt(identity.DeviceId, KeySlot.Primary, row.Bytes(5)),
            SecondaryKey = cipher.Decrypt(identity.DeviceId, KeySlot.Secondary, row.Bytes(6)),
        };
    }

    private static DeviceIdentity ReadForList(DeviceKeyCipher cipher, Row row)
    {
        try
        {
            return Read(cipher, row);
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.DeviceKeyUnreadable)
        {
            StoreMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", e.Error.Code));
            return ReadWithoutKeys(row);
        }
    }

    private static DeviceIdentity ReadWithoutKeys(Row row) => new()
    {
        DeviceId = row.Get<string>(0),
        GenerationId = row.Get<string>(1),
        Status = (DeviceStatus)row.Get<int>(2),
        StatusReason = row.Get<string?>(3),
        Authentication = (DeviceAuthentication)row.Get<int>(4),
        PrimaryThumbprint = row.Get<string?>(7),
        SecondaryThumbprint = row.Get<string?>(8),
        TagsJson = row.Get<string>(9),
        CreatedAt = row.Get<DateTimeOffset>(10),
        UpdatedAt = row.Get<DateTimeOffset>(11),
        Version = row.Get<long>(12),
    };
}
