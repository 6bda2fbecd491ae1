namespace Millrace.Stores.Cassandra.Connection;

/// <summary>How much changes at a time: well below what a node takes as one mutation.</summary>
internal static class Steps
{
    private const int RowsMax = 100;
    private const long BytesMax = 4 << 20;

    /// <summary>Items in their order; one that is larger than a step has a step of its own.</summary>
    public static IEnumerable<List<T>> Of<T>(IEnumerable<T> items, Func<T, long> bytesOf)
    {
        var (step, sum) = (new List<T>(), 0L);
        foreach (var item in items)
        {
            var bytes = bytesOf(item);
            if (step.Count == RowsMax || (step.Count > 0 && sum + bytes > BytesMax))
            {
                yield return step;
                (step, sum) = ([], 0);
            }

            step.Add(item);
            sum += bytes;
        }

        if (step.Count > 0) yield return step;
    }
}
