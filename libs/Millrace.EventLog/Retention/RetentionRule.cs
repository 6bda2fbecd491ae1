namespace Millrace.EventLog.Retention;

/// <summary>What is known of one partition when it is asked what may go. All values are offsets.</summary>
/// <param name="Unwanted">Records below are older, or more, than what is to be kept.</param>
/// <param name="NeverPast">Trimming stops here, whatever else: those who must have every record are at it.</param>
/// <param name="Overdue">Records below go although a consumer of <paramref name="Consumers"/> has not read
/// them.</param>
/// <param name="Consumers">The next offsets of those for whom records stay a while longer.</param>
internal readonly record struct RetentionView(
    long Unwanted, long NeverPast, long Overdue, IReadOnlyList<long> Consumers);

/// <summary>Decides what may go.</summary>
internal static class RetentionRule
{
    /// <summary>Records below this offset may go.</summary>
    public static long TrimBefore(RetentionView view)
    {
        var held = view.Consumers.Count == 0 ? long.MaxValue : view.Consumers.Min();
        return Math.Min(Math.Min(view.Unwanted, view.NeverPast), Math.Max(held, view.Overdue));
    }

    /// <summary>
    /// The offset from which on no more than <paramref name="bytesMax"/> are kept, in whole segments.
    /// </summary>
    /// <param name="segments">First offset and bytes of each, oldest first.</param>
    public static long OffsetOfBytes(IReadOnlyList<(long FirstOffset, long Bytes)> segments, long bytesMax)
    {
        var kept = 0L;
        for (var i = segments.Count - 1; i >= 0; i--)
        {
            kept += segments[i].Bytes;
            if (kept > bytesMax) return i + 1 < segments.Count ? segments[i + 1].FirstOffset : segments[i].FirstOffset;
        }

        return 0;
    }
}
