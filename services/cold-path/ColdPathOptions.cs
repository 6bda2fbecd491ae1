using System.ComponentModel.DataAnnotations;

namespace Millrace.ColdPath;

/// <summary>Jobs and SQL over the archive: section <c>ColdPath</c>.</summary>
public sealed class ColdPathOptions
{
    /// <summary>
    /// A folder of further jobs, one folder a job with <c>job.sql</c> and <c>job.json</c>. A job here replaces a
    /// built-in one of its name. Null means none.
    /// </summary>
    public string? JobsFolder { get; set; }

    /// <summary>
    /// The most rows that one answer has; a caller may ask for fewer. Parquet results have no such limit.
    /// </summary>
    [Range(1, long.MaxValue)]
    public long RowsMax { get; set; } = 1_000_000;

    /// <summary>How many rows an answer has when the caller does not say.</summary>
    [Range(1, long.MaxValue)]
    public long RowsDefault { get; set; } = 10_000;
}
