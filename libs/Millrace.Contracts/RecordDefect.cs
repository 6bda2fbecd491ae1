namespace Millrace.Contracts;

/// <summary>Why a record is nothing for any stage, whatever it holds: it becomes a dead letter of each.</summary>
public enum RecordDefect
{
    None,

    /// <summary>
    /// Its time is not within the years 1 to 9999, or lies further ahead of the clock than is believed. Taken, it would
    /// put the records behind it into the past.
    /// </summary>
    Time,

    /// <summary>It came with more headers, or longer names of headers, than a record can have: some were cut.</summary>
    HeadersCut,
}

/// <summary>Looks at a record as any producer may have made it, before it counts for anything.</summary>
public static class RecordDefects
{
    private static readonly long FirstMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long LastMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Stands before all other headers of a record whose headers were cut, and says how many came.</summary>
    public static ReadOnlySpan<byte> CutHeader => "millrace-headers-cut"u8;

    /// <summary>Whether a time can be said: it lies within the years 1 to 9999.</summary>
    public static bool IsTime(long timestampMs) => timestampMs >= FirstMs && timestampMs <= LastMs;

    /// <summary>The time, or the first or last that can be said.</summary>
    public static DateTimeOffset NearestTime(long timestampMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(timestampMs, FirstMs, LastMs));

    /// <param name="latestMs">The latest time that is believed now.</param>
    public static RecordDefect Find(in RecordView record, long latestMs)
    {
        var timestampMs = record.TimestampMs;
        if (timestampMs < FirstMs || timestampMs > Math.Min(latestMs, LastMs)) return RecordDefect.Time;
        if (record.HeaderCount == 0) return RecordDefect.None;
        var headers = record.Headers;
        headers.MoveNext();
        return headers.Current.Name.SequenceEqual(CutHeader) ? RecordDefect.HeadersCut : RecordDefect.None;
    }
}
