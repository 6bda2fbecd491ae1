using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A row that a pattern may begin at or go on with.</summary>
internal sealed class MatchRow(RowOrigin origin, byte[] bytes, int columns)
{
    private Value[]? _values;

    public RowOrigin Origin { get; } = origin;

    public byte[] Bytes => bytes;

    /// <summary>It is open whether a match begins here.</summary>
    public bool IsPending { get; set; } = true;

    public Value[] Values => _values ??= Read();

    public static MatchRow Of(in RowOrigin origin, ReadOnlySpan<Value> values)
    {
        var size = ValueCodec.Size(origin.Device);
        foreach (ref readonly var value in values) size += ValueCodec.Size(value);
        var bytes = new byte[size];
        var at = ValueCodec.Write(bytes, origin.Device);
        foreach (ref readonly var value in values) at += ValueCodec.Write(bytes.AsSpan(at), value);
        return Of(origin, bytes, values.Length);
    }

    public static MatchRow Of(RowOrigin origin, byte[] bytes, int columns)
    {
        var at = 0;
        origin.Device = ValueCodec.Read(bytes, ref at);
        return new MatchRow(origin, bytes, columns);
    }

    private Value[] Read()
    {
        var values = new Value[columns];
        var at = ValueCodec.Size(Origin.Device);
        for (var i = 0; i < columns; i++) values[i] = ValueCodec.Read(bytes, ref at);
        return values;
    }
}

/// <summary>The neighbouring rows of one partition, from the oldest at which a match may begin.</summary>
internal sealed class MatchPartition(byte[] key)
{
    public byte[] Key => key;

    public List<MatchRow> Rows { get; } = [];
}
