using Millrace.Contracts;
using Millrace.Delta.Schema;

namespace Millrace.Delta;

/// <summary>The table of a query's output in the archive, as its writer and its readers both know it.</summary>
public static class OutputTable
{
    /// <summary>Below it each output has a folder.</summary>
    public const string RootPrefix = "outputs/";

    private const int NameLengthMax = 64;

    /// <summary>All columns; partitioned by day and hour of the enqueued time, as telemetry is.</summary>
    public static DeltaSchema Schema { get; } = new(
    [
        new DeltaColumn("row_id", DeltaType.String, Nullable: false),
        new DeltaColumn("query", DeltaType.String),
        new DeltaColumn("version", DeltaType.Integer),
        new DeltaColumn("at", DeltaType.Timestamp, Nullable: false),
        new DeltaColumn("device_id", DeltaType.String),
        new DeltaColumn("enqueued_at", DeltaType.Timestamp, Nullable: false),
        new DeltaColumn("log_partition", DeltaType.Integer, Nullable: false),
        new DeltaColumn("log_offset", DeltaType.Long, Nullable: false),
        new DeltaColumn("body", DeltaType.String, Nullable: false),
        new DeltaColumn("date", DeltaType.Date, Nullable: false),
        new DeltaColumn("hour", DeltaType.Integer, Nullable: false),
    ]);

    /// <summary>The key of the table in the object store. Statements do not tell names apart by case.</summary>
    public static string RootOf(string output) => RootPrefix + output.ToLowerInvariant();

    /// <summary>Whether an output may have this name.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetter(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') && !ArchiveNames.IsReserved(name);

    /// <summary>
    /// Under what the table knows which epochs of a query's version (<paramref name="owner"/>) were seen in the
    /// partition, up to its position. Begins so for each of a partition's with an empty owner.
    /// </summary>
    public static string EpochIdOf(int partition, string owner) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"epoch/{partition}/{owner}");
}
