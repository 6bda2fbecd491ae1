namespace Millrace.Stores.Cassandra.Connection;

/// <summary>How many requests a store has under way at a time: enough to keep nodes busy, not to swamp them.</summary>
internal static class InFlight
{
    private const int RequestsMax = 64;

    // A count has a node read a whole partition: with many at once all would be too late.
    private const int CountsMax = 4;

    public static Task ForEachAsync<T>(
        IEnumerable<T> items, CancellationToken ct, Func<T, CancellationToken, ValueTask> work) =>
        ForEachAsync(items, RequestsMax, ct, work);

    /// <summary>All that is counted in each, together.</summary>
    public static async ValueTask<long> CountAsync<T>(
        IEnumerable<T> items, CancellationToken ct, Func<T, CancellationToken, ValueTask<long>> count)
    {
        var sum = 0L;
        await ForEachAsync(items, CountsMax, ct, async (item, token) =>
            Interlocked.Add(ref sum, await count(item, token).ConfigureAwait(false))).ConfigureAwait(false);
        return sum;
    }

    /// <summary>What the work gives for each, in their order.</summary>
    public static async Task<TResult[]> SelectAsync<T, TResult>(
        IReadOnlyList<T> items, CancellationToken ct, Func<T, CancellationToken, ValueTask<TResult>> work)
    {
        var results = new TResult[items.Count];
        await ForEachAsync(Enumerable.Range(0, items.Count), ct, async (i, token) =>
            results[i] = await work(items[i], token).ConfigureAwait(false)).ConfigureAwait(false);
        return results;
    }

    private static Task ForEachAsync<T>(
        IEnumerable<T> items, int most, CancellationToken ct, Func<T, CancellationToken, ValueTask> work) =>
        Parallel.ForEachAsync(
            items, new ParallelOptions { MaxDegreeOfParallelism = most, CancellationToken = ct }, work);
}
