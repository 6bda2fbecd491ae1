using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

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

    /// <summary>
    /// After so many entries of the table's log a checkpoint is written, from which readers begin.
    /// </summary>
    [Range(1, 10_000)]
    public int CheckpointInterval { get; set; } = 50;

    /// <summary>
    /// How long entries and checkpoints stay in the table's log after newer checkpoints make them superfluous: how far
    /// back a version can be read. Not shorter than <see cref="VacuumSafeAge"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan LogRetention { get; set; } = TimeSpan.FromDays(30);
}

/// <summary>What data annotations cannot say.</summary>
public sealed class DeltaTableOptionsValidator : IValidateOptions<DeltaTableOptions>
{
    public ValidateOptionsResult Validate(string? name, DeltaTableOptions options) =>
        options.LogRetention >= options.VacuumSafeAge
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Delta:{nameof(options.LogRetention)} is {options.LogRetention}; choose "
                + $"{nameof(options.VacuumSafeAge)} ({options.VacuumSafeAge}) or more.");
}
