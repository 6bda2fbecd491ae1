namespace Millrace.Delta;

/// <summary>What a table of the archive says of rows that went for their age, as writer and readers know it.</summary>
public static class RetentionRecord
{
    /// <summary>The position that tells up to which hour rows are gone, in milliseconds since 1970 UTC.</summary>
    /// <param name="root">The key of the table in the object store.</param>
    public static string Of(string root) => $"retention/{root}";

    /// <summary>From when on rows are kept; null when none were removed for their age.</summary>
    public static DateTimeOffset? KeptFrom(DeltaSnapshot snapshot, string root) =>
        snapshot.PositionOf(Of(root)) is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
