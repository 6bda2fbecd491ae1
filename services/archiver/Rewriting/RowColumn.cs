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

    /// <summary>
    /// A column of a file that others wrote, by how it is kept there; what it means says what statistics tell of it.
    /// </summary>
    public static RowColumn Of(ColumnDescriptor column, DeltaSchema schema)
    {
        var name = column.Path.ToDotString();
        if (column.MaxRepetitionLevel > 0 || column.MaxDefinitionLevel > 1)
            throw new InvalidOperationException($"{name}: a column within columns cannot be written again.");
        var nullable = column.MaxDefinitionLevel > 0;
        using var logical = column.LogicalType;
        var isMicros = logical is TimestampLogicalType { TimeUnit: TimeUnit.Micros };
        var type = schema.Find(name)?.Type;
        return column.PhysicalType switch
        {
            PhysicalType.ByteArray => new TextColumn(name, nullable),
            PhysicalType.Int64 when type == DeltaType.Long => new ValueColumn<long>(name, nullable, value => value),
            PhysicalType.Int64 when type == DeltaType.Timestamp && isMicros =>
                new ValueColumn<long>(name, nullable, Iso),
            PhysicalType.Int64 => new ValueColumn<long>(name, nullable, statistic: null),
            PhysicalType.Int32 when type == DeltaType.Integer =>
                new ValueColumn<int>(name, nullable, value => (long)value),
            PhysicalType.Int32 => new ValueColumn<int>(name, nullable, statistic: null),
            PhysicalType.Int96 => new ValueColumn<Int96>(name, nullable, statistic: null),

            // What is no number has no place between the least and the greatest.
            PhysicalType.Double => new ValueColumn<double>(name, nullable, statistic: null),
            PhysicalType.Float => new ValueColumn<float>(name, nullable, statistic: null),
            PhysicalType.Boolean => new ValueColumn<bool>(name, nullable, statistic: null),
            _ => throw new InvalidOperationException($"{name}: {column.PhysicalType} is no column of results."),
        };
    }

    private static object Iso(long micros) => Files.RowColumns.IsoText(
        (micros / 1000) - (micros % 1000 < 0 ? 1 : 0));
}
