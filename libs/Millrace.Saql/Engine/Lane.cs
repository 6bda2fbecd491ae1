namespace Millrace.Saql.Engine;

/// <summary>Where a substream stands, and its timeline where it has one of its own.</summary>
internal sealed class Substream : KeyEntry
{
    public long Watermark { get; set; }

    /// <summary>One that is empty stays, for the key to come.</summary>
    public Lane? Lane { get; set; }

    protected override void Forget() => Watermark = long.MinValue;
}

/// <summary>
/// The timeline of one substream: what operators and functions keep of its rows, and when the next is due.
/// </summary>
/// <param name="memories">One for each that keeps something of rows.</param>
/// <param name="waiting">Rows that wait for the substream's watermark; null where its rows come in order.</param>
/// <param name="feeds">How many feeds give its rows, where time is to be known of each; else 0.</param>
internal sealed class Lane(Memory[] memories, RowHeap? waiting, int feeds)
{
    public const long Never = long.MaxValue;

    public Memory[] Memories => memories;

    public RowHeap? Waiting => waiting;

    /// <summary>
    /// How far its rows of each feed have come. What a key that is gone has left here, time has passed for all.
    /// </summary>
    public long[] Watermarks { get; } = [.. Enumerable.Repeat(long.MinValue, feeds)];

    /// <summary>Its rows that have not arrived on all sources' common time.</summary>
    public int Arriving { get; set; }

    /// <summary>
    /// What is next, as <see cref="DueOfRow"/> or <see cref="DueOfClose"/>; <see cref="Never"/> when nothing waits.
    /// </summary>
    public long Due { get; set; } = Never;

    /// <summary>Of lanes that are due alike the one goes first that began to wait first.</summary>
    public long Order { get; set; }

    /// <summary>Its place in the <see cref="LaneQueue"/>; -1 when it is not there.</summary>
    public int Place { get; set; } = -1;

    /// <summary>What it was counted with.</summary>
    public long Bytes { get; set; }

    /// <summary>A row that waits is taken when time has come to its timestamp.</summary>
    public static long DueOfRow(long timestamp) => timestamp * 2;

    /// <summary>
    /// What is due at a time is closed when time has passed it, and so behind the rows of that time.
    /// </summary>
    public static long DueOfClose(long time) => time > Never / 2 ? Never : (time * 2) + 1;

    public bool IsEmptyAt(long time)
    {
        if (Due != Never) return false;
        var isEmpty = true;
        foreach (var memory in memories) isEmpty &= memory.IsEmptyAt(time);
        return isEmpty;
    }
}
