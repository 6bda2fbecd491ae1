using Microsoft.Extensions.Logging;

namespace Millrace.ColdPath;

internal static partial class Log
{
    [LoggerMessage(8000, LogLevel.Warning, "A result failed on its way, and the connection was cut: {Code} {Message}")]
    public static partial void ResultCut(this ILogger log, string code, string message);

    [LoggerMessage(8001, LogLevel.Information, "Job {Job} wrote {Rows} rows, {Bytes} bytes to {Key}")]
    public static partial void JobWritten(this ILogger log, string job, long rows, long bytes, string key);

    [LoggerMessage(8002, LogLevel.Information, "Job {Job} made {Part} anew: {Rows} rows")]
    public static partial void PartMade(this ILogger log, string job, string part, long rows);

    [LoggerMessage(8003, LogLevel.Warning, "Job {Job} could not make {Part}, attempt {Attempt}")]
    public static partial void PartFailed(this ILogger log, Exception e, string job, string part, int attempt);

    [LoggerMessage(8004, LogLevel.Warning, "Lease {Lease} was not renewed: {Why}")]
    public static partial void LeaseNotRenewed(this ILogger log, string lease, string why);

    [LoggerMessage(8005, LogLevel.Warning, "The schedule of job {Job} could not be served; it is tried again")]
    public static partial void ScheduleFailed(this ILogger log, Exception e, string job);

    [LoggerMessage(8006, LogLevel.Information, "Job {Job} trained version {Version} of {Model} on {Rows} rows")]
    public static partial void ModelTrained(this ILogger log, string job, string model, int version, int rows);

    [LoggerMessage(8007, LogLevel.Information, "{By}: {What} of model {Model}, version {Version}")]
    public static partial void ModelChanged(this ILogger log, string by, string what, string model, int version);

    [LoggerMessage(8008, LogLevel.Information, "Versions of model {Model} that were never promoted went: {Versions}")]
    public static partial void ModelPruned(this ILogger log, string model, string versions);

    [LoggerMessage(8010, LogLevel.Information, "{Files} files, {Bytes} bytes, of replaced results of {Job} went")]
    public static partial void ResultsVacuumed(this ILogger log, string job, int files, long bytes);

    [LoggerMessage(8011, LogLevel.Warning, "The results of {Job} stand, but their table could not be kept in order")]
    public static partial void ResultsNotKept(this ILogger log, Exception e, string job);

    [LoggerMessage(8012, LogLevel.Warning,
        "{Parts} parts of job {Job} are due and could not be made, the first is {First}; it is tried again in {Delay}")]
    public static partial void ScheduleBehind(this ILogger log, string job, int parts, string first, TimeSpan delay);

    [LoggerMessage(8013, LogLevel.Information, "{Files} exported results, {Bytes} bytes, went for their age")]
    public static partial void ResultsRetired(this ILogger log, int files, long bytes);

    [LoggerMessage(8014, LogLevel.Warning, "Old exported results could not be deleted; it is tried again")]
    public static partial void ResultsNotRetired(this ILogger log, Exception e);

    [LoggerMessage(8015, LogLevel.Warning, "The run of {Part} of job {Job} ended without a word in its history")]
    public static partial void RunLost(this ILogger log, Exception e, string job, string part);

    [LoggerMessage(8016, LogLevel.Warning, "Job {Job} may be run by another process now; this one ended its work")]
    public static partial void LeaseLost(this ILogger log, string job);

    [LoggerMessage(8017, LogLevel.Warning, "Lease {Lease} was not given back, and ends by itself: {Why}")]
    public static partial void LeaseNotReleased(this ILogger log, string lease, string why);

    [LoggerMessage(8018, LogLevel.Information,
        "{Parts} parts of job {Job} are due and stay, the first is {First}: telemetry of their time went for its age")]
    public static partial void PartsGone(this ILogger log, int parts, string job, string first);

    [LoggerMessage(8009, LogLevel.Warning, "Old versions of model {Model} could not be deleted; the next one does it")]
    public static partial void ModelNotPruned(this ILogger log, Exception e, string model);
}
