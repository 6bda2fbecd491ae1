namespace Millrace.Saql;

/// <summary>
/// Takes what the first stage of a query that is answered by key makes: rows for the places of their keys, and how far
/// each source is. Spans are valid during the call only.
/// </summary>
public interface IRowDealer
{
    /// <summary>A row, for the place of its key.</summary>
    /// <param name="source">The source's rank among all that the query reads.</param>
    /// <param name="offset">Where the source stands: with the ordinal, rows of a source rise in it.</param>
    /// <param name="hash">Of the key; null for the place that has the number of the source's partition.</param>
    /// <param name="row">What <see cref="QueryEngine.ForTarget"/> reads.</param>
    /// <param name="isLate">It comes of a <see cref="LateRecord"/>.</param>
    void Row(int source, long offset, int ordinal, uint? hash, ReadOnlySpan<byte> row, bool isLate);

    /// <summary>
    /// For the place of a row's key, which nobody there would have taken: the row's substream has this time or a later
    /// one from now on, in ticks.
    /// </summary>
    /// <param name="substream">Its key.</param>
    void Passed(int source, int feed, long offset, uint? hash, ReadOnlySpan<byte> substream, long ticks);

    /// <summary>For every place: rows of the source under this choice of timestamps have this time or a later one
    /// from now on, in ticks.</summary>
    void Watermark(int source, int feed, long offset, long ticks);
}
