using Microsoft.Extensions.Logging;

namespace Millrace.Archiver;

internal static partial class Log
{
    [LoggerMessage(7000, LogLevel.Information, "Archiving {Partitions} from {Positions}")]
    public static partial void RunStarted(this ILogger log, string partitions, string positions);

    [LoggerMessage(7001, LogLevel.Debug, "Archived {Rows} rows in {Files} files of {Topic} as table version {Version}")]
    public static partial void Archived(this ILogger log, long rows, int files, string topic, long version);

    [LoggerMessage(7002, LogLevel.Error, "Archiving failed; it starts again from the table in {Delay}")]
    public static partial void RunFailed(this ILogger log, Exception exception, TimeSpan delay);

    [LoggerMessage(7003, LogLevel.Information, "A commit was {Outcome}; archiving starts again from the table")]
    public static partial void CommitVoid(this ILogger log, string outcome);

    [LoggerMessage(7004, LogLevel.Error, "Partition {Partition} cannot be read at {Offset}; tried again in {Delay}")]
    public static partial void ReadFailed(
        this ILogger log, Exception exception, string partition, long offset, TimeSpan delay);

    [LoggerMessage(7005, LogLevel.Warning,
        "{Count} records could not be archived and went to the dead letters, the first with {Code}: {Reason}")]
    public static partial void DeadLettered(this ILogger log, int count, string code, string reason);

    [LoggerMessage(7006, LogLevel.Information, "Dead letter {Id}: {Outcome}")]
    public static partial void Replayed(this ILogger log, string id, string outcome);

    [LoggerMessage(7007, LogLevel.Error, "Dead letter {Id} could not be replayed; it is tried again later")]
    public static partial void ReplayFailed(this ILogger log, Exception exception, string id);

    [LoggerMessage(7008, LogLevel.Error, "Following dead-letter replays failed; tried again in {Delay}")]
    public static partial void ReplaysFailed(this ILogger log, Exception exception, TimeSpan delay);

    [LoggerMessage(7009, LogLevel.Warning, "Stopped before the last rows were archived; the next start takes them")]
    public static partial void StoppedEarly(this ILogger log);

    [LoggerMessage(7010, LogLevel.Warning, "The archive's lag could not be measured")]
    public static partial void LagUnknown(this ILogger log, Exception exception);

    [LoggerMessage(7011, LogLevel.Error, "The partitions to archive cannot be followed; tried again in {Delay}")]
    public static partial void AssignmentFailed(this ILogger log, Exception exception, TimeSpan delay);

    [LoggerMessage(7012, LogLevel.Warning, "The table's log could not be tidied after version {Version}")]
    public static partial void LogNotTidied(this ILogger log, Exception exception, long version);

    [LoggerMessage(7013, LogLevel.Information,
        "Merged {Before} files of {Table} {Hour:u} into {After}, {Rows} rows: {Outcome}")]
    public static partial void Compacted(
        this ILogger log, string table, DateTimeOffset hour, int before, int after, long rows, string outcome);

    [LoggerMessage(7014, LogLevel.Information,
        "{Rows} rows in {Files} files of before {Before:u} are out of {Table}")]
    public static partial void Retired(
        this ILogger log, string table, long rows, int files, DateTimeOffset before);

    [LoggerMessage(7015, LogLevel.Information,
        "A device ({Hash}) was erased from {Table}: {Rows} rows, {Files} files written again, version {Version}")]
    public static partial void DeviceErased(
        this ILogger log, string table, string hash, long rows, int files, long version);

    [LoggerMessage(7016, LogLevel.Information, "Vacuum deleted {Files} files of {Bytes} bytes")]
    public static partial void Vacuumed(this ILogger log, int files, long bytes);

    [LoggerMessage(7017, LogLevel.Error, "The archive's upkeep failed at {What}; it is tried again at the next turn")]
    public static partial void UpkeepFailed(this ILogger log, Exception exception, string what);

    [LoggerMessage(7018, LogLevel.Warning,
        "Column {Name} of the table has another type than is configured; {Instead} takes its place")]
    public static partial void ColumnTypeChanged(this ILogger log, string name, string instead);

    [LoggerMessage(7019, LogLevel.Information, "The output {Output} is archived from now on")]
    public static partial void OutputStarted(this ILogger log, string output);

    [LoggerMessage(7020, LogLevel.Information, "The output {Output} is not archived any more")]
    public static partial void OutputEnded(this ILogger log, string output);

    [LoggerMessage(7021, LogLevel.Error, "The outputs to archive cannot be told; tried again in {Delay}")]
    public static partial void OutputsUnknown(this ILogger log, Exception exception, TimeSpan delay);

    [LoggerMessage(7022, LogLevel.Information,
        "{Partition} is archived from {Start}; {Missed} records from {Position} on were trimmed while it was not")]
    public static partial void Skipped(this ILogger log, string partition, long start, long missed, long position);
}
