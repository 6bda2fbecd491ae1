using System.Globalization;
using Millrace.Contracts;
using Millrace.Delta.Schema;

namespace Millrace.Delta;

/// <summary>The archive's table, as its writer and its readers both know it.</summary>
public static class TelemetryTable
{
    /// <summary>The key of the table in the object store.</summary>
    public const string Root = ArchiveNames.Telemetry;

    /// <summary>Day and hour (0 to 23) of the enqueued time, UTC.</summary>
    public static IReadOnlyList<string> PartitionColumns { get; } = ["date", "hour"];

    /// <summary>The columns that every archive has; promoted columns come after them.</summary>
    public static DeltaSchema BaseSchema { get; } = new(
    [
        new DeltaColumn("device_id", DeltaType.String, Nullable: false),
        new DeltaColumn("module_id", DeltaType.String),
        new DeltaColumn("enqueued_at", DeltaType.Timestamp, Nullable: false),
        new DeltaColumn("event_at", DeltaType.Timestamp, Nullable: false),
        new DeltaColumn("log_partition", DeltaType.Integer, Nullable: false),
        new DeltaColumn("log_offset", DeltaType.Long, Nullable: false),
        new DeltaColumn("content_type", DeltaType.String),
        new DeltaColumn("content_encoding", DeltaType.String),
        new DeltaColumn("message_id", DeltaType.String),
        new DeltaColumn("properties", DeltaType.StringMap, Nullable: false),
        new DeltaColumn("body", DeltaType.Binary, Nullable: false),
        new DeltaColumn("date", DeltaType.Date, Nullable: false),
        new DeltaColumn("hour", DeltaType.Integer, Nullable: false),
    ]);

    /// <summary>The application id under which a log partition's position stands in the table.</summary>
    public static string AppIdOf(int logPartition) =>
        string.Create(CultureInfo.InvariantCulture, $"{Topics.Telemetry}/{logPartition}");
}
