namespace Millrace.Saql.Engine;

/// <summary>What becomes of rows when they are read and have their time.</summary>
internal abstract class RowTaker
{
    public virtual bool IsWaiting => false;

    public virtual long StateBytes => 0;

    /// <summary>
    /// Whether something waits for the feed, and would not if nothing arrived there before the time any more. It may be
    /// a feed of others.
    /// </summary>
    public virtual bool AwaitsMark(FeedState feed, long arrival) => false;

    /// <summary>The least of the feeds' watermarks.</summary>
    public abstract long Watermark { get; }

    public virtual bool Has(OperatorState one) => false;

    /// <summary>One of its operators is due at another time than before.</summary>
    public virtual void NextDueChanged()
    {
    }

    /// <summary>Takes the row in the slots of the feed's input, whose origin the frame has.</summary>
    /// <param name="feed">Its place among the feeds.</param>
    public abstract void Take(int feed);

    /// <summary>The watermark may have moved.</summary>
    public abstract void Release();

    /// <summary>No more rows come.</summary>
    public virtual void Complete()
    {
    }

    public abstract void Save(StateWriter writer);

    public abstract void Restore(ref StateReader reader);
}
