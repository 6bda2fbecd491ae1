namespace Millrace.Saql.Engine;

/// <summary>What a part of a query keeps of the rows of one timeline.</summary>
internal abstract class Memory
{
    /// <summary>What happens when time has passed this; long.MaxValue when nothing waits.</summary>
    public long NextDue { get; set; } = long.MaxValue;

    /// <summary>Whether something waits for time to pass.</summary>
    public virtual bool IsWaiting => false;

    /// <summary>About how much it is.</summary>
    public abstract long StateBytes { get; }

    /// <summary>
    /// No row comes before the time any more, and what was due is done: what no row can see goes. True when nothing is
    /// left, so that it may be used for other rows.
    /// </summary>
    public abstract bool IsEmptyAt(long time);
}

/// <summary>
/// A part of a query at work, an operator or a function. It has a memory for each timeline, and works on one of them at
/// a time.
/// </summary>
internal abstract class RememberingState
{
    /// <summary>An empty one; null when it keeps nothing of rows.</summary>
    public virtual Memory? NewMemory() => null;

    /// <summary>Works on this from now on.</summary>
    public virtual void Enter(Memory memory) => throw new InvalidOperationException("It keeps nothing of rows.");

    /// <summary>About how much it keeps, of the timeline at hand and beside it.</summary>
    public virtual long StateBytes => 0;

    /// <summary>Writes what it keeps, of the timeline at hand and beside it.</summary>
    public virtual void Save(StateWriter writer)
    {
    }

    public virtual void Restore(ref StateReader reader)
    {
    }
}
