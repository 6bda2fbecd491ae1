namespace Millrace.Saql.Engine;

/// <summary>Takes what the first stage of a query sends: rows as bytes, and how far it is.</summary>
internal interface ISentRowTaker
{
    /// <param name="root">What the taker knows the route and source by.</param>
    void Take(in RowOrigin origin, int root, ReadOnlySpan<byte> row);

    /// <summary>A substream has come to a time by rows that were not sent.</summary>
    /// <param name="feed">Its place among the taker's feeds.</param>
    void Passed(int feed, ReadOnlySpan<byte> substream, long watermark);

    /// <summary>The watermark of one of its feeds has risen.</summary>
    void WatermarkRose();
}
