using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.ColdPath;

/// <summary>Jobs and SQL over the archive: section <c>ColdPath</c>.</summary>
public sealed class ColdPathOptions
{
    /// <summary>
    /// A folder of further jobs, one folder a job with <c>job.json</c> and <c>job.sql</c>, or the assembly of a class.
    /// A job here replaces a built-in one of its name. Null means none.
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

    /// <summary>Whether jobs with a schedule run by themselves in this process.</summary>
    public bool Scheduler { get; set; } = true;

    /// <summary>How often it is looked which jobs are due.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan SchedulerInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Jobs that run by their schedules at once in this process; further ones wait their turn.</summary>
    [Range(1, 1000)]
    public int ScheduledJobsMax { get; set; } = 2;

    /// <summary>
    /// How long a job is left alone when parts that were due could not be made; doubles each time, and they are tried
    /// again until they are made.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan ScheduleRetryDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest of these delays.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan ScheduleRetryDelayMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a job stays a process's that was killed while it ran it; another process runs it after that.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a part of a job's results is tried before it has failed.</summary>
    [Range(1, 100)]
    public int RunAttemptsMax { get; set; } = 3;

    /// <summary>How long to wait after the first failed attempt; doubles each time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it is known what became of a run.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RunRetention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How often, after a run, files go that later runs replaced longer ago than Delta:VacuumSafeAge. 0 means never.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan VacuumInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How long objects below <c>results/</c> stay, which runs with output parquet wrote. 0 means for ever.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan ResultRetention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The most parts that one request names.</summary>
    [Range(1, 100_000)]
    public int PartsMax { get; set; } = 10_000;

    /// <summary>The largest ONNX model that is taken.</summary>
    public ByteSize ModelBytesMax { get; set; } = ByteSize.FromMiB(64);

    /// <summary>
    /// The most rows that a model is trained on; they are held in memory. A statement that gives more fails its run.
    /// </summary>
    [Range(100, 1_000_000_000)]
    public long TrainingRowsMax { get; set; } = 2_000_000;

    /// <summary>
    /// Rows that a job scores are held in memory until they have this size, and then become a file of its results.
    /// </summary>
    public ByteSize ScoredFileSize { get; set; } = ByteSize.FromMiB(64);

    /// <summary>
    /// The newest versions of a model that were never promoted and stay when a further one is made. Those that ever
    /// were promoted stay all.
    /// </summary>
    [Range(1, 100_000)]
    public int UnpromotedVersionsMax { get; set; } = 20;
}
