using System.Runtime.CompilerServices;
using System.Text.Json;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Lists;

/// <summary>
/// Lists by time, newest first. A partition holds an hour of a list; which hours have rows stands in a table of its
/// own, so that a reader passes over the empty ones. Rows go by themselves when they are as old as
/// <paramref name="retention"/>, zero: never.
/// </summary>
internal sealed class TimeLists(CassandraDatabase database, string table, TimeSpan retention, TimeProvider time)
{
    private const int RowsOfBatch = 100;
    private const int CharsOfBatch = 24_000;
    private const int RowsOfReadMin = 20;
    private const int RowsOfReadMax = 500;
    private const int BucketsOfRead = 16;
    private const int BucketsKnownMax = 10_000;
    private static readonly long Width = Times.Microseconds(TimeSpan.FromHours(1));

    private readonly StoreStatement _insert =
        new($"INSERT INTO {table}_rows(list, bucket, at, id, row) VALUES(?, ?, ?, ?, ?) USING TTL ?");
    private readonly StoreStatement _delete =
        new($"DELETE FROM {table}_rows WHERE list = ? AND bucket = ? AND at = ? AND id = ?");
    private readonly StoreStatement _insertBucket =
        new($"INSERT INTO {table}_buckets(list, bucket) VALUES(?, ?) USING TTL ?");
    private readonly StoreStatement _buckets =
        new($"SELECT bucket FROM {table}_buckets WHERE list = ? AND bucket >= ? AND bucket <= ?");
    private readonly StoreStatement _rows = new($"SELECT at, id, row FROM {table}_rows WHERE list = ? AND bucket = ? "
        + "AND (at, id) < (?, ?) AND (at, id) >= (?, ?) LIMIT ?");
    private readonly StoreStatement _count =
        new($"SELECT count(*) FROM {table}_rows WHERE list = ? AND bucket = ?");
    private readonly RecentlyKnown<(string List, long Bucket), bool> _known = new(BucketsKnownMax);

    /// <summary>The tables' definitions.</summary>
    /// <param name="window">How much time the rows of one file have, in days: files go whole when all has gone.</param>
    public static string[] Tables(string table, int window) =>
    [
        $"""
        CREATE TABLE IF NOT EXISTS {table}_rows(list text, bucket bigint, at bigint, id text, row text,
          PRIMARY KEY((list, bucket), at, id)) WITH CLUSTERING ORDER BY (at DESC, id DESC)
          AND compaction = {"{"}'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS',
            'compaction_window_size': '{window}'{"}"}
        """,
        $"""
        CREATE TABLE IF NOT EXISTS {table}_buckets(list text, bucket bigint, PRIMARY KEY(list, bucket))
          WITH CLUSTERING ORDER BY (bucket DESC)
        """,
    ];

    /// <summary>How many seconds a row of this time is kept from now on; 0: for ever; null: it is too old.</summary>
    public int? Ttl(long at)
    {
        if (retention == TimeSpan.Zero) return 0;
        var now = time.GetUtcNow();
        var left = at + Times.Microseconds(retention) - Times.Microseconds(now);
        var most = Expiry.Most(now.ToUnixTimeMilliseconds(), database.ExpiryEnd);
        return left <= 0 ? null : (int)Math.Min((left / 1_000_000) + 1, most);
    }

    public async Task WriteAsync(IEnumerable<TimeEntry> entries, CancellationToken ct)
    {
        var groups = entries.GroupBy(entry => (entry.List, Bucket: entry.At / Width)).ToList();
        await InFlight.ForEachAsync(groups.Where(group => !_known.TryGet(group.Key, out _)), ct, async (group, token) =>
        {
            // Before its rows: a reader that finds none there passes on.
            var (list, bucket) = group.Key;
            if (Ttl((bucket + 1) * Width) is not { } ttl) return;
            await database.RunAsync(_insertBucket, token, list, bucket, ttl).ConfigureAwait(false);
            _known.Set(group.Key, true);
        }).ConfigureAwait(false);
        await InFlight.ForEachAsync(groups.SelectMany(Batches), ct, WriteBatchAsync).ConfigureAwait(false);
    }

    /// <summary>What the store keeps in a row.</summary>
    public T Read<T>(TimeEntry entry)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(entry.Row) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw StoredRows.Damaged($"{table}_rows", [("list", entry.List), ("bucket", entry.At / Width),
                ("at", entry.At), ("id", entry.Id)], e);
        }
    }

    public async ValueTask RemoveAsync(string list, long at, string id, CancellationToken ct) =>
        await database.RunAsync(_delete, ct, list, at / Width, at, id).ConfigureAwait(false);

    /// <summary>Rows of a list after the place, with from &lt;= at &lt; to.</summary>
    /// <param name="limit">About how many will be taken.</param>
    public async IAsyncEnumerable<TimeEntry> ReadAsync(
        string list, TimePlace after, long from, long to, int limit, [EnumeratorCancellation] CancellationToken ct)
    {
        var most = Math.Clamp(limit + 1, RowsOfReadMin, RowsOfReadMax);
        var upper = after.At < to ? after : new TimePlace(to, "");
        var buckets = await database.ListAsync(_buckets, row => row.Get<long>(0), ct, list, from / Width,
            upper.At / Width).ConfigureAwait(false);

        // The first hour alone may have enough; the more are needed, the more are read at a time.
        for (var (i, size) = (0, 1); i < buckets.Count; (i, size) = (i + size, Math.Min(size * 2, BucketsOfRead)))
        {
            var reads = await Task.WhenAll(buckets.Skip(i).Take(size)
                .Select(bucket => ReadBucketAsync(list, bucket, upper, from, most, ct))).ConfigureAwait(false);
            for (var j = 0; j < reads.Length; j++)
            {
                for (var rows = reads[j]; ;)
                {
                    foreach (var row in rows) yield return row;
                    if (rows.Count < most) break;
                    rows = await ReadBucketAsync(list, buckets[i + j], new TimePlace(rows[^1].At, rows[^1].Id), from,
                        most, ct).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>How many rows a list has. The nodes read all of them for it.</summary>
    public async ValueTask<long> CountAsync(string list, CancellationToken ct)
    {
        var buckets = await database.ListAsync(_buckets, row => row.Get<long>(0), ct, list, long.MinValue,
            long.MaxValue).ConfigureAwait(false);
        return await InFlight.CountAsync(buckets, ct, (bucket, token) =>
            database.FirstAsync(_count, row => row.Get<long>(0), token, list, bucket)).ConfigureAwait(false);
    }

    private static IEnumerable<List<TimeEntry>> Batches(IEnumerable<TimeEntry> entries)
    {
        var (batch, chars) = (new List<TimeEntry>(), 0);
        foreach (var entry in entries)
        {
            if (batch.Count == RowsOfBatch || (batch.Count > 0 && chars + entry.Row.Length > CharsOfBatch))
            {
                yield return batch;
                (batch, chars) = ([], 0);
            }

            batch.Add(entry);
            chars += entry.Row.Length;
        }

        if (batch.Count > 0) yield return batch;
    }

    private async ValueTask WriteBatchAsync(List<TimeEntry> entries, CancellationToken ct)
    {
        var batch = BatchStatement.Rent();
        foreach (var entry in entries)
        {
            if (Ttl(entry.At) is not { } ttl) continue;
            batch.Add(await database.BindAsync(_insert, ct, entry.List, entry.At / Width, entry.At, entry.Id,
                entry.Row, ttl).ConfigureAwait(false));
        }

        if (batch.Count > 0) await database.RunAsync(batch, ct).ConfigureAwait(false);
    }

    private async Task<List<TimeEntry>> ReadBucketAsync(
        string list, long bucket, TimePlace upper, long from, int most, CancellationToken ct) =>
        await database.ListAsync(_rows,
            row => new TimeEntry(list, row.Get<long>(0), row.Get<string>(1), row.Get<string>(2)), ct, list, bucket,
            upper.At, upper.Id, from, "", most).ConfigureAwait(false);
}
