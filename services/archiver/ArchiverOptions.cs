using System.ComponentModel.DataAnnotations;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Archiver.Upkeep;
using Millrace.Primitives;

namespace Millrace.Archiver;

/// <summary>How telemetry becomes files of the archive: section <c>Archiver</c>.</summary>
public sealed class ArchiverOptions
{
    /// <summary>
    /// Rows wait at most so long for company before they become files. Shorter means fresher, more files.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RollAge { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Rows become files when their records in the log have this size together. Held in memory twice.
    /// </summary>
    public ByteSize RollSize { get; set; } = ByteSize.FromMiB(64);

    /// <summary>
    /// The same for each query output that is archived: there may be many. Held in memory twice for each.
    /// </summary>
    public ByteSize OutputRollSize { get; set; } = ByteSize.FromMiB(8);

    /// <summary>Rows become files when there are so many.</summary>
    [Range(1, 10_000_000)]
    public int RollRows { get; set; } = 1_000_000;

    /// <summary>Rows of one row group, the unit that readers pass over.</summary>
    [Range(1_000, 10_000_000)]
    public int RowGroupRows { get; set; } = 131_072;

    /// <summary>
    /// A row group has no more records than have this size in the log together: large bodies make no large ones.
    /// </summary>
    public ByteSize RowGroupSize { get; set; } = ByteSize.FromMiB(32);

    internal RowGroupLimit RowGroups => new(RowGroupRows, RowGroupSize.Bytes);

    /// <summary>How much is read from a partition at once.</summary>
    public ByteSize ReadSize { get; set; } = ByteSize.FromMiB(1);

    /// <summary>A larger record is given up as a dead letter (AR-0003).</summary>
    public ByteSize RecordSizeMax { get; set; } = ByteSize.FromMiB(16);

    /// <summary>How the files are compressed.</summary>
    public ArchiveCompression Compression { get; set; } = ArchiveCompression.Zstd;

    /// <summary>How long to wait after a failure before starting again from the table.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the last rows may take to become files when the process stops.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How often the lag is measured.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan LagInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the store is searched for dead letters to replay whose notice was missed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan ReplayScanInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often it is looked which query outputs are to be archived.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan OutputScanInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How the archive is kept in order.</summary>
    public ArchiveUpkeepOptions Upkeep { get; set; } = new();

    /// <summary>Fields of JSON bodies that become columns of their own.</summary>
    public IList<PromotedColumnOptions> PromotedColumns { get; init; } = [];
}

public enum ArchiveCompression
{
    /// <summary>Level 1: small files at little cost.</summary>
    Zstd,

    /// <summary>Larger files, a third faster.</summary>
    Snappy,
}

/// <summary>
/// A field of JSON bodies that becomes a column; null where a body is not JSON, lacks it or has another type.
/// </summary>
public sealed class PromotedColumnOptions
{
    /// <summary>The column's name: letters, digits and underscores, not one that the archive has.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>
    /// Where it stands in the body: <c>temperature</c>, <c>status.battery</c> or <c>$.status.battery</c>.
    /// </summary>
    [Required]
    public string Path { get; set; } = "";

    public PromotedType Type { get; set; } = PromotedType.Double;
}
