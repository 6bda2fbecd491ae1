using System.ComponentModel.DataAnnotations;

namespace Millrace.Delta;

/// <summary>Limits of a table's writers. Section "Delta".</summary>
public sealed class DeltaTableOptions
{
    /// <summary>
    /// How old a file that no table version knows must be before vacuum may delete it. Files older than half of it are
    /// not committed any more.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan VacuumSafeAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often a commit whose answer was lost is tried before it is given up.</summary>
    [Range(1, 100)]
    public int CommitAttemptsMax { get; set; } = 8;

    /// <summary>How long to wait after the first lost answer; doubles each time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan CommitRetryDelay { get; set; } = TimeSpan.FromMilliseconds(50);
}
