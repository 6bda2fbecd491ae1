namespace Millrace.Stores.Positions;

/// <summary>Where a search goes on: behind which place, and what its first page said of its begin.</summary>
/// <param name="BegunAtMs">By the store's own clock; null where it is not known, or no matter.</param>
internal readonly record struct PositionCursor(PositionPlace After, long? BegunAtMs)
{
    private const string List = "positions";

    /// <summary>Of a search that begins.</summary>
    public static PositionCursor Start(long? atMs = null) => new(new PositionPlace(-1, ""), atMs);

    /// <summary>Null for no token: a search begins.</summary>
    public static PositionCursor? Read(string? token)
    {
        if (token is null) return null;
        var key = ContinuationToken.Read(List, token, 2, optional: 1);
        var after = new PositionPlace(ContinuationToken.Number(key[0], token), key[1]);
        return new PositionCursor(after, key.Length > 2 ? ContinuationToken.Number(key[2], token) : null);
    }

    public string Write() => BegunAtMs is { } begunAtMs
        ? ContinuationToken.Write(List, After.Cell, After.Device, begunAtMs)
        : ContinuationToken.Write(List, After.Cell, After.Device);
}
