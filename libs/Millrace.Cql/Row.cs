using Millrace.Cql.Types;

namespace Millrace.Cql;

/// <summary>A row of a <see cref="RowSet"/>, whose memory it shares.</summary>
public readonly struct Row
{
    private readonly RowSet _rows;
    private readonly int _index;

    internal Row(RowSet rows, int index) => (_rows, _index) = (rows, index);

    public IReadOnlyList<Column> Columns => _rows.Columns;

    /// <summary>The value in the type that the README lists first for the column's.</summary>
    public object? this[string column] => Get<object?>(column);

    public bool IsNull(int column)
    {
        _rows.Cell(_index, column, out var isNull);
        return isNull;
    }

    /// <summary>The value of a column as <typeparamref name="T"/>; null needs a type that has it.</summary>
    public T Get<T>(int column)
    {
        var type = _rows.Columns[column].Type;
        var bytes = _rows.Cell(_index, column, out var isNull);
        return Codec<T>.For(type).ReadValue(bytes, isNull, type);
    }

    public T Get<T>(string column) => Get<T>(_rows.IndexOf(column));

    /// <summary>The bytes of the value as they came, without a copy; empty for null.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => _rows.Cell(_index, column, out _);
}
