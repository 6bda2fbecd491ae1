using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.EventLog.Retention;

/// <summary>How long the log keeps records; section EventLog:Retention. Whole segment files are deleted.</summary>
public sealed class RetentionOptions : IValidatableObject
{
    /// <summary>How often it is looked what may go.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Telemetry older than this goes, once the warm writer and the archiver have it.</summary>
    public TimeSpan TelemetryAgeMax { get; set; } = TimeSpan.FromDays(7);

    /// <summary>More telemetry than this, oldest first, goes, once the warm writer and the archiver have it.</summary>
    public ByteSize TelemetryBytesMax { get; set; } = ByteSize.FromGiB(16);

    /// <summary>Up to this age, records stay for a query that has not read them.</summary>
    public TimeSpan HoldAgeMax { get; set; } = TimeSpan.FromDays(14);

    /// <summary>Up to this much of a topic stays for a query that has not read it.</summary>
    public ByteSize HoldBytesMax { get; set; } = ByteSize.FromGiB(32);

    /// <summary>
    /// Records of all other topics go at this age, once every sink that has committed there has them and no checkpoint
    /// needs them.
    /// </summary>
    public TimeSpan OtherAgeMax { get; set; } = TimeSpan.FromDays(7);

    /// <summary>More than this of any other topic, oldest first, goes on the same terms.</summary>
    public ByteSize OtherBytesMax { get; set; } = ByteSize.FromGiB(4);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string Key, TimeSpan Value)[] times =
        [
            (nameof(Interval), Interval), (nameof(TelemetryAgeMax), TelemetryAgeMax), (nameof(HoldAgeMax), HoldAgeMax),
            (nameof(OtherAgeMax), OtherAgeMax),
        ];
        foreach (var (key, value) in times.Where(time => time.Value <= TimeSpan.Zero))
            yield return new ValidationResult($"EventLog:Retention:{key} is {value}; make it more than 0.", [key]);
        if (HoldAgeMax < TelemetryAgeMax)
            yield return new ValidationResult(
                $"EventLog:Retention:{nameof(HoldAgeMax)} is less than {nameof(TelemetryAgeMax)}; make it as long.");
        if (HoldBytesMax.CompareTo(TelemetryBytesMax) < 0)
            yield return new ValidationResult(
                $"EventLog:Retention:{nameof(HoldBytesMax)} is less than {nameof(TelemetryBytesMax)}.");
    }
}
