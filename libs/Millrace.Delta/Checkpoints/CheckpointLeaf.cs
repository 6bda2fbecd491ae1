using System.Runtime.InteropServices;
using ParquetSharp;

namespace Millrace.Delta.Checkpoints;

/// <summary>Values of one column of a checkpoint, with the levels that say in which row they stand.</summary>
internal abstract class CheckpointLeaf
{
    private readonly List<short> _defined = [];
    private readonly List<short> _repeated = [];

    protected int Levels => _defined.Count;

    protected ReadOnlySpan<short> Defined => CollectionsMarshal.AsSpan(_defined);

    protected ReadOnlySpan<short> Repeated => CollectionsMarshal.AsSpan(_repeated);

    /// <summary>The row has no value; it is defined down to this level.</summary>
    public void AddNull(short level = 0) => AddLevel(level, 0);

    public abstract void WriteTo(ColumnWriter writer);

    protected void AddLevel(short defined, short repeated)
    {
        _defined.Add(defined);
        _repeated.Add(repeated);
    }
}

/// <param name="level">The level at which a value is defined: the optional and repeated nodes down to it.</param>
internal sealed class CheckpointLeaf<T>(short level) : CheckpointLeaf where T : unmanaged
{
    private readonly List<T> _values = [];

    public void Add(T value, bool isFirst = true)
    {
        _values.Add(value);
        AddLevel(level, isFirst ? (short)0 : (short)1);
    }

    public override void WriteTo(ColumnWriter writer) =>
        ((ColumnWriter<T>)writer).WriteBatch(Levels, Defined, Repeated, CollectionsMarshal.AsSpan(_values));
}
