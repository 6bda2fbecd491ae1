using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Batch;

/// <summary>What runs SQL and jobs over the archive.</summary>
public enum BatchKind
{
    /// <summary>DuckDB, within this process.</summary>
    DuckDb,

    /// <summary>A Spark cluster, by Spark Connect; section <c>Spark</c> says which.</summary>
    Spark,
}

/// <summary>What runs SQL over the archive, and its limits: section <c>Batch</c>.</summary>
public sealed class BatchOptions
{
    /// <summary>DuckDb, or Spark with section <c>Spark</c>.</summary>
    public BatchKind Kind { get; set; }

    /// <summary>Statements that run at once; further ones wait their turn.</summary>
    [Range(1, 1000)]
    public int ConcurrentQueriesMax { get; set; } = 2;

    /// <summary>How long a statement may take, its wait and the reading of its result included.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// DuckDB: memory of one statement; more is kept in files of <see cref="TempFolder"/> where the engine can.
    /// </summary>
    public ByteSize MemoryMax { get; set; } = ByteSize.FromMiB(512);

    /// <summary>DuckDB: files that one statement may keep aside for lack of memory.</summary>
    public ByteSize SpillMax { get; set; } = ByteSize.FromGiB(4);

    /// <summary>DuckDB: threads of one statement. 0 means half of the processors, at least one.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>
    /// DuckDB: where statements keep files while they run. Null means the folder <c>tmp</c> of the data folder.
    /// </summary>
    public string? TempFolder { get; set; }

    /// <summary>
    /// DuckDB over an object store without local files: the parts of objects that statements needed are kept in files,
    /// up to this size while nobody needs them.
    /// </summary>
    public ByteSize CacheMax { get; set; } = ByteSize.FromGiB(8);

    /// <summary>The footers of these objects are held in memory, up to this size while nobody needs them.</summary>
    public ByteSize FootersMax { get; set; } = ByteSize.FromMiB(128);

    /// <summary>
    /// Where these files are: a folder for this process alone, which is emptied when it starts. Null means the folder
    /// <c>tmp</c> of the data folder.
    /// </summary>
    public string? CacheFolder { get; set; }
}
