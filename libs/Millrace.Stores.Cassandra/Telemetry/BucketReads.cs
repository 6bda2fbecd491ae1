namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Reads buckets in their order until there are enough rows, each time twice as many at once. What is read before it
/// is known to be needed is <see cref="AheadFactor"/> times what is missing still, or <see cref="ShareMin"/> rows of a
/// bucket; one that has more is read on by itself.
/// </summary>
/// <param name="readAsync">At most so many rows of a bucket, after one of its rows; null: from its beginning.</param>
internal sealed class BucketReads<TBucket, TRow>(
    int atOnceMax, Func<TBucket, TRow?, int, Task<List<TRow>>> readAsync)
    where TRow : class
{
    /// <summary>How many rows of a bucket are read ahead in any case: requests cost more than few rows.</summary>
    public const int ShareMin = 100;

    /// <summary>How often what is missing is read ahead: most buckets do not hold their share of it.</summary>
    public const int AheadFactor = 4;

    /// <summary>So many rows, or somewhat more, or all that there are.</summary>
    public async Task<List<TRow>> TakeAsync(IEnumerable<TBucket> buckets, int count)
    {
        var rows = new List<TRow>();
        using var next = buckets.GetEnumerator();
        for (var atOnce = 1; rows.Count < count; atOnce = Math.Min(atOnce * 2, atOnceMax))
        {
            var some = new List<TBucket>();
            while (some.Count < atOnce && next.MoveNext()) some.Add(next.Current);
            if (some.Count == 0) break;
            var share = ShareOf(count - rows.Count, some.Count);
            var reads = await Task.WhenAll(some.Select(bucket => readAsync(bucket, null, share)))
                .ConfigureAwait(false);
            for (var i = 0; i < reads.Length && rows.Count < count; i++)
            {
                rows.AddRange(reads[i]);
                if (reads[i].Count < share || rows.Count >= count) continue;
                rows.AddRange(await readAsync(some[i], reads[i][^1], count - rows.Count).ConfigureAwait(false));
            }
        }

        return rows;
    }

    private static int ShareOf(int missing, int buckets) =>
        (int)Math.Min(missing, Math.Max(ShareMin, (long)AheadFactor * missing / buckets));
}
