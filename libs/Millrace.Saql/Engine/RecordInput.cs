using Millrace.Contracts;
using Millrace.Saql.Decoding;

namespace Millrace.Saql.Engine;

/// <summary>What reads the records of a source.</summary>
internal abstract class RecordInput
{
    /// <summary>Reads one record; its bytes lie in the array.</summary>
    public abstract void Read(SourceState source, in RecordView record, byte[] array, ref byte arrayStart);

    /// <summary>Reads a record that failed before: it moves no arrival, and comes behind all that did.</summary>
    public abstract void ReadLate(SourceState source, LateRecord late);

    /// <summary>
    /// From now on the bodies of the source are decoded together with others; null when it reads none.
    /// </summary>
    public virtual SharedReader? Share(SourceState source, SharedBodies bodies) => null;

    /// <summary>The next records are of this batch, until <see cref="End"/>.</summary>
    public virtual void Begin(SourceState source, RecordBatch batch)
    {
    }

    public virtual void End()
    {
    }

    /// <summary>Whether its state speaks of owners of an earlier version.</summary>
    public virtual bool KeepsEarlier => false;

    public virtual void Save(StateWriter writer)
    {
    }

    public virtual void Restore(ref StateReader reader)
    {
    }

    /// <summary>What was restored is an earlier version's.</summary>
    public virtual void BelongsTo(int version)
    {
    }
}
