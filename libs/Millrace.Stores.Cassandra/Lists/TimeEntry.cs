namespace Millrace.Stores.Cassandra.Lists;

/// <summary>A row of a list that is read newest first.</summary>
/// <param name="At">Microseconds since 1970.</param>
/// <param name="Row">What the store keeps there, as JSON.</param>
internal sealed record TimeEntry(string List, long At, string Id, string Row);

/// <summary>A place in a list: rows after it are older, or of the same time with a lesser id.</summary>
internal readonly record struct TimePlace(long At, string Id)
{
    public static readonly TimePlace Newest = new(long.MaxValue, "");

    public static string Token(string list, TimePlace place) => ContinuationToken.Write(list, place.At, place.Id);

    /// <summary>The place that a token names, or ST-0002.</summary>
    public static TimePlace Read(string list, string? token)
    {
        if (token is null) return Newest;
        var key = ContinuationToken.Read(list, token, 2);
        return new TimePlace(ContinuationToken.Number(key[0], token), key[1]);
    }
}
