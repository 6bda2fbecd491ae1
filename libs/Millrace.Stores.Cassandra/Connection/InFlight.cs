namespace Millrace.Stores.Cassandra.Connection;

/// <summary>How many requests a store has under way at a time: enough to keep nodes busy, not to swamp them.</summary>
internal static class InFlight
{
    private const int RequestsMax = 64;

    public static Task ForEachAsync<T>(
        IEnumerable<T> items, CancellationToken ct, Func<T, CancellationToken, ValueTask> work) =>
        Parallel.ForEachAsync(items,
            new ParallelOptions { MaxDegreeOfParallelism = RequestsMax, CancellationToken = ct }, work);

    /// <summary>What the work gives for each, in their order.</summary>
    public static async Task<TResult[]> SelectAsync<T, TResult>(
        IReadOnlyList<T> items, CancellationToken ct, Func<T, CancellationToken, ValueTask<TResult>> work)
    {
        var results = new TResult[items.Count];
        await ForEachAsync(Enumerable.Range(0, items.Count), ct, async (i, token) =>
            results[i] = await work(items[i], token).ConfigureAwait(false)).ConfigureAwait(false);
        return results;
    }
}
