using System.Collections;
using Millrace.Cql.Protocol;

namespace Millrace.Cql;

/// <summary>
/// A page of rows, and what else came with the answer. It holds the bytes; values are decoded when asked for.
/// </summary>
public sealed class RowSet : IReadOnlyList<Row>
{
    internal static readonly RowSet Empty = new();

    private readonly byte[] _body = [];
    private readonly int[] _starts = [];

    internal RowSet()
    {
    }

    internal RowSet(Column[] columns, int count, byte[] body, int[] starts)
    {
        (Columns, Count) = (columns, count);
        (_body, _starts) = (body, starts);
    }

    public IReadOnlyList<Column> Columns { get; private init; } = [];

    public int Count { get; private init; }

    /// <summary>Where the next page begins; empty when this is the last.</summary>
    public ReadOnlyMemory<byte> PagingState { get; internal init; }

    /// <summary>What the server warns of.</summary>
    public IReadOnlyList<string> Warnings { get; internal set; } = [];

    /// <summary>The session of system_traces, when tracing was asked for.</summary>
    public Guid? TracingId { get; internal set; }

    /// <summary>Whether a compare-and-set took effect; true for all other statements.</summary>
    public bool Applied => Count == 0 || Columns.Count == 0 || Columns[0].Name != "[applied]" || this[0].Get<bool>(0);

    internal SchemaChange? SchemaChange { get; init; }

    /// <summary>The columns of the prepared statement, when the server says that they are others now.</summary>
    internal ResultMetadata? ChangedMetadata { get; init; }

    public Row this[int index] => (uint)index < (uint)Count
        ? new Row(this, index)
        : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>The place of a column, which must be there.</summary>
    public int IndexOf(string column)
    {
        for (var i = 0; i < Columns.Count; i++)
        {
            if (Columns[i].Name == column) return i;
        }

        throw CqlErrors.TypeMismatch.With(column, "The result has no such column.").AsCql();
    }

    public IEnumerator<Row> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return new Row(this, i);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal ReadOnlySpan<byte> Cell(int row, int column, out bool isNull)
    {
        var cell = (row * Columns.Count) + column;
        var reader = new Wire.WireReader(_body.AsSpan(_starts[cell]));
        return reader.Bytes(out isNull);
    }
}
