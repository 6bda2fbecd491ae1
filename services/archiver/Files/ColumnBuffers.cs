using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>Values of one column for the rows of a chunk, in the form that the encoder takes.</summary>
internal abstract class ColumnBuffer
{
    private short[] _defined = new short[256];

    protected int Levels { get; private set; }

    /// <summary>Rows of the file without a value.</summary>
    public long NullCount { get; private set; }

    protected ReadOnlySpan<short> Defined => _defined.AsSpan(0, Levels);

    /// <summary>Hands the chunk to the encoder and forgets it.</summary>
    public abstract void WriteTo(ColumnWriter writer);

    public virtual void BeginFile() => NullCount = 0;

    public void AddNull()
    {
        NullCount++;
        AddLevel(0);
    }

    protected void AddLevel(short level)
    {
        if (Levels == _defined.Length) Array.Resize(ref _defined, Levels * 2);
        _defined[Levels++] = level;
    }

    protected void ClearLevels() => Levels = 0;
}

/// <summary>A column of plain values.</summary>
internal sealed class ColumnBuffer<T>(bool nullable) : ColumnBuffer where T : unmanaged
{
    private T[] _values = new T[256];
    private int _count;

    public void Add(T value)
    {
        if (_count == _values.Length) Array.Resize(ref _values, _count * 2);
        _values[_count++] = value;
        if (nullable) AddLevel(1);
    }

    public override void WriteTo(ColumnWriter writer)
    {
        var typed = (ColumnWriter<T>)writer;
        if (nullable) typed.WriteBatch(Levels, Defined, [], _values.AsSpan(0, _count));
        else typed.WriteBatch(_values.AsSpan(0, _count));
        _count = 0;
        ClearLevels();
    }
}

/// <summary>One leaf, keys or values, of a map that every row has, empty or not.</summary>
internal sealed class MapLeafBuffer : ColumnBuffer
{
    private const short Present = 1;

    private ByteArray[] _values = new ByteArray[256];
    private short[] _repeated = new short[256];
    private int _count;

    public void Add(ByteArray value, bool first)
    {
        if (_count == _values.Length) Array.Resize(ref _values, _count * 2);
        _values[_count++] = value;
        AddRepetition(first ? (short)0 : (short)1);
        AddLevel(Present);
    }

    public void AddEmpty()
    {
        AddRepetition(0);
        AddLevel(0);
    }

    public override void WriteTo(ColumnWriter writer)
    {
        ((ColumnWriter<ByteArray>)writer).WriteBatch(
            Levels, Defined, _repeated.AsSpan(0, Levels), _values.AsSpan(0, _count));
        _count = 0;
        ClearLevels();
    }

    private void AddRepetition(short level)
    {
        if (Levels == _repeated.Length) Array.Resize(ref _repeated, Levels * 2);
        _repeated[Levels] = level;
    }
}
