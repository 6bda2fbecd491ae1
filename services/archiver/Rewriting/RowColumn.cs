using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using ParquetSharp;

namespace Millrace.Archiver.Rewriting;

/// <summary>One column of rows that were read from files and will be written to others.</summary>
internal abstract class RowColumn(string path)
{
    /// <summary>Levels and values that go through the encoder and decoder at a time.</summary>
    protected const int ChunkRows = 4096;

    /// <summary>The column's name in a file, with dots between the groups that lead to it.</summary>
    public string Path { get; } = path;

    /// <summary>
    /// Takes the rows of the next row group; from no reader, because their file lacks the column, they are null.
    /// </summary>
    /// <param name="statistics">What the file says of the group's values, where it says something.</param>
    public abstract void Append(ColumnReader? reader, Statistics? statistics, int rows, RecordArena arena);

    /// <summary>Writes these rows, in this order.</summary>
    public abstract void WriteTo(ColumnWriter writer, ReadOnlySpan<int> rows);

    /// <summary>What a table's log says of these rows; null when it says nothing of the column.</summary>
    public abstract ColumnStats? Stats(ReadOnlySpan<int> rows);

    /// <summary>
    /// Tells which of these rows, in the order of the file, are beyond what the file says of their row group.
    /// </summary>
    public virtual void FindBeyondGroup(ReadOnlySpan<int> rows, Action<int> found)
    {
    }

    /// <summary>The columns of a file in which the table's column is kept.</summary>
    public static IEnumerable<RowColumn> Of(DeltaColumn column)
    {
        var nullable = column.Nullable;
        return column.Type switch
        {
            DeltaType.String or DeltaType.Binary => [new TextColumn(column.Name, nullable)],
            DeltaType.Long => [new ValueColumn<long>(column.Name, nullable, min => min)],
            DeltaType.Timestamp => [new ValueColumn<long>(column.Name, nullable, Iso)],
            DeltaType.Integer => [new ValueColumn<int>(column.Name, nullable, value => (long)value)],
            DeltaType.Double => [new ValueColumn<double>(column.Name, nullable, value => value)],
            DeltaType.Boolean => [new ValueColumn<bool>(column.Name, nullable, statistic: null)],
            DeltaType.StringMap =>
            [
                new MapLeafColumn(column.Name, "key"), new MapLeafColumn(column.Name, "value"),
            ],
            _ => throw new InvalidOperationException($"{column.Name}: {column.Type} is no column of a file."),
        };
    }

    private static object Iso(long micros) => Files.RowColumns.IsoText(
        (micros / 1000) - (micros % 1000 < 0 ? 1 : 0));
}
