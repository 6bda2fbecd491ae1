using System.Runtime.InteropServices;
using Millrace.Cql;

namespace Millrace.Benchmarks.Warm;

/// <summary>A table of one layout: log batches go in by partition, ranges come out bucket by bucket.</summary>
internal sealed class LayoutTable(CqlSession session, Layout layout)
{
    private const int BatchBytesMax = 32 << 10;
    private const int InFlightMax = 128;
    private const int ReadsAtOnce = 32;

    private readonly byte[] _body = new byte[120];
    private PreparedStatement _insert = null!;
    private PreparedStatement _select = null!;

    public Layout Layout => layout;

    public async Task CreateAsync()
    {
        new Random(5).NextBytes(_body);
        await session.ExecuteAsync(layout.Create());
        _insert = await session.PrepareAsync(layout.Insert());
        _insert.Idempotent = true;
        _select = await session.PrepareAsync(layout.SelectNewest());
    }

    /// <summary>
    /// Stores one log batch: the rows of a partition together, by bytes, a bounded number of requests in flight.
    /// </summary>
    public async Task WriteAsync(IReadOnlyList<Reading> rows)
    {
        var groups = new Dictionary<(string, int, long), BatchStatement>();
        var ready = new List<CqlStatement>();
        foreach (var row in rows)
        {
            var bucket = Layout.BucketOf(row.EventAtMs);
            var key = (layout.Shards == 0 ? row.Device : "", row.Shard, bucket);
            ref var batch = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
            batch ??= BatchStatement.Rent();
            batch.Add(Bind(row, bucket));
            if (batch.Bytes < BatchBytesMax) continue;
            ready.Add(batch);
            batch = null;
        }

        ready.AddRange(groups.Values.Where(batch => batch is not null));
        await InFlight.AllAsync(ready, InFlightMax, async statement => await session.ExecuteAsync(statement));
    }

    /// <summary>Reads newest first until there are so many rows, and gives how many came.</summary>
    public async Task<int> ReadAsync(string device, long fromMs, long toMs, int limit)
    {
        var shard = layout.ShardOf(device);
        var (rows, atOnce) = (0, 1);
        using var buckets = Layout.Buckets(fromMs, toMs).GetEnumerator();
        while (rows < limit)
        {
            var reads = new List<Task<int>>();
            while (reads.Count < atOnce && buckets.MoveNext())
                reads.Add(ReadBucketAsync(device, shard, buckets.Current, fromMs, toMs, limit - rows));
            if (reads.Count == 0) break;
            foreach (var read in reads) rows += await read;
            atOnce = Math.Min(atOnce * 2, ReadsAtOnce);
        }

        return rows;
    }

    private BoundStatement Bind(Reading row, long bucket)
    {
        var bound = _insert.Bind();
        if (layout.Shards == 0) bound.Add(row.Device).Add(bucket);
        else bound.Add(row.Shard).Add(bucket).Add(row.Device);
        return bound.Add(row.EventAtMs).Add(0).Add(row.Offset).Add(row.EventAtMs).Add("application/json").Add(_body);
    }

    private async Task<int> ReadBucketAsync(
        string device, int shard, long bucket, long fromMs, long toMs, int limit)
    {
        var bound = _select.Bind();
        if (layout.Shards == 0) bound.Add(device).Add(bucket);
        else bound.Add(shard).Add(bucket).Add(device);
        bound.Add(fromMs).Add(toMs);
        bound.PageSize = Math.Min(limit, 5_000);
        var count = 0;
        await foreach (var row in session.QueryAsync(bound))
        {
            _ = row.Get<long>(0) + row.Get<long>(1) + row.Bytes(2).Length;
            if (++count == limit) break;
        }

        return count;
    }
}

internal static class InFlight
{
    /// <summary>Does the work for all items, so many at a time.</summary>
    public static Task AllAsync<T>(IReadOnlyList<T> items, int atOnce, Func<T, Task> work)
    {
        var taken = -1;
        return Task.WhenAll(Enumerable.Range(0, Math.Min(atOnce, items.Count)).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref taken); i < items.Count; i = Interlocked.Increment(ref taken))
                await work(items[i]);
        })));
    }
}
