using Millrace.Delta;
using Millrace.Delta.Schema;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Millrace.Archiver.Files;

/// <summary>The Parquet schema of a table's files, and how they are encoded.</summary>
internal static class ArchiveSchema
{
    public const string Properties = "properties";
    public const string Body = "body";
    private const string MessageId = "message_id";
    private const string RowId = "row_id";

    /// <summary>The columns of a file: all but those that its folder says.</summary>
    public static IReadOnlyList<DeltaColumn> FileColumns(DeltaSchema schema) =>
        [.. schema.Columns.Where(column => !TelemetryTable.PartitionColumns.Contains(column.Name))];

    public static GroupNode ToParquet(IReadOnlyList<DeltaColumn> columns) =>
        new("schema", Repetition.Required, [.. columns.Select(ToParquet)]);

    public static WriterProperties PropertiesOf(ArchiveCompression compression)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(compression == ArchiveCompression.Zstd ? Compression.Zstd : Compression.Snappy);
        if (compression == ArchiveCompression.Zstd) builder.CompressionLevel(1);

        // A dictionary of values that are all different costs time and gains nothing.
        builder.DisableDictionary(Body).DisableDictionary(MessageId).DisableDictionary(RowId)
            .DisableDictionary("log_offset").DisableDictionary("enqueued_at").DisableDictionary("event_at");

        // Offsets are kept as their differences. Times would gain by it too, but not every reader takes them so.
        builder.Encoding("log_offset", ParquetSharp.Encoding.DeltaBinaryPacked);
        // Readers pass over row groups by device and time; least and greatest of these say nothing.
        builder.DisableStatistics(Body).DisableStatistics(MessageId).DisableStatistics(RowId)
            .DisableStatistics("content_type")
            .DisableStatistics("content_encoding").DisableStatistics("properties.key_value.key")
            .DisableStatistics("properties.key_value.value");
        builder.SetSizeStatisticsLevel(SizeStatisticsLevel.None);
        builder.CreatedBy("Millrace");
        return builder.Build();
    }

    private static Node ToParquet(DeltaColumn column)
    {
        var repetition = column.Nullable ? Repetition.Optional : Repetition.Required;
        return column.Type switch
        {
            DeltaType.String => Leaf(LogicalType.String(), PhysicalType.ByteArray),
            DeltaType.Binary => Leaf(LogicalType.None(), PhysicalType.ByteArray),
            DeltaType.Long => Leaf(LogicalType.None(), PhysicalType.Int64),
            DeltaType.Integer => Leaf(LogicalType.None(), PhysicalType.Int32),
            DeltaType.Double => Leaf(LogicalType.None(), PhysicalType.Double),
            DeltaType.Boolean => Leaf(LogicalType.None(), PhysicalType.Boolean),
            DeltaType.Timestamp => Leaf(LogicalType.Timestamp(true, TimeUnit.Micros), PhysicalType.Int64),
            DeltaType.StringMap => Map(column.Name, repetition),
            _ => throw new InvalidOperationException($"{column.Name}: {column.Type} is no column of a file."),
        };

        PrimitiveNode Leaf(LogicalType logical, PhysicalType physical) =>
            new(column.Name, repetition, logical, physical);
    }

    private static GroupNode Map(string name, Repetition repetition) => new(name, repetition,
    [
        new GroupNode("key_value", Repetition.Repeated,
        [
            new PrimitiveNode("key", Repetition.Required, LogicalType.String(), PhysicalType.ByteArray),
            new PrimitiveNode("value", Repetition.Required, LogicalType.String(), PhysicalType.ByteArray),
        ]),
    ], LogicalType.Map());
}
