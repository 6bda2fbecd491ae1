using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A row that a pattern may begin at or go on with. Used again when it is needed no more.</summary>
internal sealed class MatchRow(int columns)
{
    private byte[] _bytes = [];
    private int _length;

    public RowOrigin Origin { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public Value[] Values { get; } = new Value[columns];

    /// <summary>It is open whether a match begins here.</summary>
    public bool IsPending { get; set; }

    /// <summary>It waits among those at which a match may begin, and is one of its partition's.</summary>
    public bool IsQueued { get; set; }

    public bool IsKept { get; set; }

    /// <summary>
    /// Of a match that begins here: the step that waits for a row to come, and how many rows there were to it. Null
    /// where the pattern is to be tried from its beginning.
    /// </summary>
    public (int Step, int Rows)? Waiting { get; set; }

    /// <summary>It failed, which is told once, however often it is looked at.</summary>
    public bool IsTold { get; set; }

    /// <summary>Keeps a copy of the values.</summary>
    public void Set(in RowOrigin origin, ReadOnlySpan<Value> values)
    {
        var size = ValueCodec.Size(origin.Device);
        foreach (ref readonly var value in values) size += ValueCodec.Size(value);
        Reserve(size);
        var at = ValueCodec.Write(_bytes, origin.Device);
        foreach (ref readonly var value in values) at += ValueCodec.Write(_bytes.AsSpan(at), value);
        Read(origin);
    }

    /// <summary>Takes what <see cref="Bytes"/> gave.</summary>
    public void Set(in RowOrigin origin, ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes);
        Read(origin);
    }

    private void Reserve(int size)
    {
        if (_bytes.Length < size) _bytes = new byte[size];
        _length = size;
    }

    private void Read(RowOrigin origin)
    {
        var at = 0;
        origin.Device = ValueCodec.Read(_bytes, ref at);
        Origin = origin;
        for (var i = 0; i < Values.Length; i++) Values[i] = ValueCodec.Read(_bytes, ref at);
    }
}

/// <summary>
/// The neighbouring rows of one partition, from the oldest at which a match may begin. Used again when it has none.
/// </summary>
internal sealed class MatchPartition
{
    public byte[] Key { get; private set; } = [];

    public List<MatchRow> Rows { get; } = [];

    public void Name(ReadOnlySpan<byte> key)
    {
        if (Key.Length == key.Length) key.CopyTo(Key);
        else Key = key.ToArray();
    }
}
