using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Batch.DuckDb;

/// <summary>Limits of SQL over the archive on DuckDB: section <c>Batch</c>.</summary>
public sealed class DuckDbOptions
{
    /// <summary>
    /// Memory of one statement; more is kept in files of <see cref="TempFolder"/> where the engine can.
    /// </summary>
    public ByteSize MemoryMax { get; set; } = ByteSize.FromMiB(512);

    /// <summary>Files that one statement may keep aside for lack of memory.</summary>
    public ByteSize SpillMax { get; set; } = ByteSize.FromGiB(4);

    /// <summary>Threads of one statement. 0 means half of the processors, at least one.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Statements that run at once; further ones wait their turn.</summary>
    [Range(1, 1000)]
    public int ConcurrentQueriesMax { get; set; } = 2;

    /// <summary>How long a statement may take, its wait and the reading of its result included.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Where statements keep files while they run. Null means the folder <c>tmp</c> of the data folder.
    /// </summary>
    public string? TempFolder { get; set; }
}
