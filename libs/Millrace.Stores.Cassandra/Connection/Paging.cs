namespace Millrace.Stores.Cassandra.Connection;

/// <summary>Pages of a list, and the keys in their tokens.</summary>
internal static class Paging
{
    /// <summary>
    /// At most <paramref name="limit"/> of the items, and a token when there are more.
    /// </summary>
    public static async ValueTask<Page<T>> TakeAsync<T>(
        IAsyncEnumerable<T> items, int limit, Func<T, string> tokenAfter, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        var page = new List<T>();
        await foreach (var item in items.WithCancellation(ct).ConfigureAwait(false))
        {
            if (page.Count == limit) return new Page<T>(page, tokenAfter(page[^1]));
            page.Add(item);
        }

        return new Page<T>(page, null);
    }
}
