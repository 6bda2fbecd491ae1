using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// How the archive is kept in order; the archiver that has the first partition does it. Section <c>Archiver:Upkeep</c>.
/// </summary>
public sealed class ArchiveUpkeepOptions
{
    /// <summary>How often it is looked what is to do. Zero: never, only on demand.</summary>
    public TimeSpan UpkeepInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>So many files of one hour and of like size are merged into one.</summary>
    [Range(2, 1_000)]
    public int CompactionFilesMin { get; set; } = 8;

    /// <summary>Merged files have about this size; those of half of it and more are left alone.</summary>
    public ByteSize CompactionFileSize { get; set; } = ByteSize.FromMiB(128);

    /// <summary>Rows that are merged at a time: they are held in memory.</summary>
    [Range(1_000, 20_000_000)]
    public int CompactionRowsMax { get; set; } = 2_000_000;

    /// <summary>An hour to which nothing was added for so long is merged however few files it has.</summary>
    public TimeSpan CompactionAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Hours of enqueued time that are older are removed from the archive. Zero keeps all.</summary>
    public TimeSpan ArchiveRetention { get; set; }

    /// <summary>The same for query outputs. Zero keeps all.</summary>
    public TimeSpan OutputRetention { get; set; }

    /// <summary>How often files that are no part of the table any more are deleted. Zero: only on demand.</summary>
    public TimeSpan VacuumInterval { get; set; } = TimeSpan.FromDays(1);
}
