using Microsoft.Extensions.Logging;

namespace Millrace.EventLog;

internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Information, "Log opened in {Folder}: {Topics} topics, {Milliseconds} ms")]
    public static partial void LogOpened(this ILogger log, string folder, int topics, long milliseconds);

    [LoggerMessage(3001, LogLevel.Warning,
        "Torn tail cut: {Bytes} bytes at {Position} of {File}, of a write that was never acknowledged")]
    public static partial void TornTailCut(this ILogger log, long bytes, long position, string file);

    [LoggerMessage(3002, LogLevel.Information, "Index of {File} was missing or damaged and was made again")]
    public static partial void IndexRebuilt(this ILogger log, string file);

    [LoggerMessage(3003, LogLevel.Information, "Topic {Topic} made with {Partitions} partitions")]
    public static partial void TopicMade(this ILogger log, string topic, int partitions);

    [LoggerMessage(3004, LogLevel.Error, "{Partition} cannot append: {Error}")]
    public static partial void AppendsFailing(this ILogger log, string partition, string error, Exception? cause);

    [LoggerMessage(3005, LogLevel.Information, "{Partition} appends again")]
    public static partial void AppendsAgain(this ILogger log, string partition);

    [LoggerMessage(3006, LogLevel.Error, "{Error}")]
    public static partial void DamageMet(this ILogger log, string error);

    [LoggerMessage(3007, LogLevel.Warning, "A file could not be put in order; it will be at the next open: {File}")]
    public static partial void FileLeft(this ILogger log, string file, Exception cause);

    [LoggerMessage(3008, LogLevel.Error, "Appends are refused: {Error}")]
    public static partial void DiskGuardClosed(this ILogger log, string error);

    [LoggerMessage(3009, LogLevel.Information, "Appends are taken again: {FreeBytes} bytes are free")]
    public static partial void DiskGuardOpened(this ILogger log, long freeBytes);

    [LoggerMessage(3010, LogLevel.Information, "Trimmed {Partition}: kept from {First}, {Records} records deleted")]
    public static partial void Trimmed(this ILogger log, string partition, long first, long records);

    [LoggerMessage(3011, LogLevel.Warning,
        "Retention of {Partition} passed by consumer {Group}: {Records} records were deleted that it had not read")]
    public static partial void ConsumerPassedBy(this ILogger log, string partition, string group, long records);

    [LoggerMessage(3012, LogLevel.Error, "Retention failed, and is tried again at the next round")]
    public static partial void RetentionFailed(this ILogger log, Exception cause);

    [LoggerMessage(3013, LogLevel.Error,
        "{Failed} of {Partitions} partitions of {Topic} could not be trimmed; they are tried again at the next round")]
    public static partial void PartitionsNotTrimmed(
        this ILogger log, string topic, int failed, int partitions, Exception? cause);

    [LoggerMessage(3014, LogLevel.Information,
        "The write-ahead log had {Batches} batches of {Segments} segments; they are in their segments now")]
    public static partial void AheadReplayed(this ILogger log, int batches, int segments);

    [LoggerMessage(3015, LogLevel.Warning, "The write-ahead log in {Folder} failed and is tried again in {Seconds} s; "
        + "until then each partition syncs its own file")]
    public static partial void AheadFailed(this ILogger log, string folder, int seconds, Exception cause);
}
