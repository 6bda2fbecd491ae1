using Microsoft.Extensions.Logging;

namespace Millrace.StreamProcessor;

internal static partial class Log
{
    [LoggerMessage(6001, LogLevel.Error, "Stream {Stream} failed; it starts again in {Delay}")]
    public static partial void StreamFailed(this ILogger log, string stream, TimeSpan delay, Exception error);

    [LoggerMessage(6003, LogLevel.Information, "Query {Query} version {Version} runs, {Scope}")]
    public static partial void QueryStarted(this ILogger log, string query, int version, string scope);

    [LoggerMessage(6004, LogLevel.Information, "Query {Query} version {Version} stopped")]
    public static partial void QueryStopped(this ILogger log, string query, int version);

    [LoggerMessage(6005, LogLevel.Error, "Query {Query} version {Version} failed: {Reason}")]
    public static partial void QueryFailed(this ILogger log, string query, int version, string reason);

    [LoggerMessage(6022, LogLevel.Error,
        "Query {Query} version {Version} does not run here, and is left to older processes: {Reason}")]
    public static partial void QueryLeft(this ILogger log, string query, int version, string reason);

    [LoggerMessage(6006, LogLevel.Warning,
        "Query {Query} partition {Partition} was taken over at a newer epoch than {Epoch}; this owner stops")]
    public static partial void OwnerStale(this ILogger log, string query, int partition, long epoch);

    [LoggerMessage(6007, LogLevel.Warning, "Dead letter of {Stage}: {Topic}/{Partition} offset {Offset}, " +
        "and {Silent} more of this kind since the last such line: {Reason}")]
    public static partial void DeadLettered(
        this ILogger log, string stage, string topic, int partition, long offset, long silent, string reason);

    [LoggerMessage(6008, LogLevel.Error, "The stored queries could not be read; tried again soon")]
    public static partial void ReconcileFailed(this ILogger log, Exception error);

    [LoggerMessage(6009, LogLevel.Warning, "Dead letter {Id} was not replayed: {Reason}")]
    public static partial void ReplayRefused(this ILogger log, string id, string reason);

    [LoggerMessage(6010, LogLevel.Information,
        "Query {Query} partition {Partition} goes on at epoch {Epoch}; {Known} rows stand after the checkpoint")]
    public static partial void QueryRecovered(this ILogger log, string query, int partition, long epoch, int known);

    [LoggerMessage(6011, LogLevel.Error, "Dead letter {Id} was not replayed; it is tried again")]
    public static partial void ReplayFailed(this ILogger log, string id, Exception error);

    [LoggerMessage(6012, LogLevel.Warning, "The control notice at offset {Offset} cannot be read: {Reason}")]
    public static partial void NoticeUnreadable(this ILogger log, long offset, string reason);

    [LoggerMessage(6013, LogLevel.Error,
        "{Sink} {Partition} stood at {Position}; {Records} records behind it were trimmed before it had them")]
    public static partial void SinkMissed(
        this ILogger log, string sink, string partition, long position, long records);

    [LoggerMessage(6014, LogLevel.Warning,
        "The store does not take what {Sink} has of {Partition}; try {Tries} failed, and it waits: {Reason}")]
    public static partial void StoreRefuses(
        this ILogger log, string sink, string partition, int tries, string reason);

    [LoggerMessage(6015, LogLevel.Information,
        "The store takes what {Sink} has of {Partition} again, after {Tries} failures in {Elapsed}")]
    public static partial void StoreTakesAgain(
        this ILogger log, string sink, string partition, int tries, TimeSpan elapsed);

    [LoggerMessage(6016, LogLevel.Information,
        "Query {Query} scores at {Place} with version {Version} of {Model} from here on")]
    public static partial void ModelTaken(this ILogger log, string query, int place, int version, string model);

    [LoggerMessage(6017, LogLevel.Warning,
        "Query {Query} goes on at {Place} with version {Version} of {Model}: {Why}")]
    public static partial void ModelNotTaken(
        this ILogger log, string query, int place, int version, string model, string why);

    [LoggerMessage(6018, LogLevel.Warning,
        "Reference data {Reference} cannot be read; queries go on with what was read before, if anything was: {Why}")]
    public static partial void ReferenceNotRead(this ILogger log, string reference, string why);

    [LoggerMessage(6019, LogLevel.Information, "Reference data {Reference} is read again, after {Failures} failures")]
    public static partial void ReferenceReadAgain(this ILogger log, string reference, int failures);

    [LoggerMessage(6020, LogLevel.Warning,
        "The status of query {Query} version {Version} could not be written; it is tried again soon")]
    public static partial void StatusFailed(this ILogger log, string query, int version, Exception error);

    [LoggerMessage(6021, LogLevel.Warning,
        "The store does not say which dead letters are to be replayed; it is asked again soon")]
    public static partial void ReplaysNotFound(this ILogger log, Exception error);

    [LoggerMessage(6030, LogLevel.Warning,
        "Query {Query} partition {Partition}: {Rows} rows that an owner before wrote behind its checkpoint were not " +
        "made again by the same records; they stay as they are")]
    public static partial void RowsNotMadeAgain(this ILogger log, string query, int partition, int rows);

    [LoggerMessage(6031, LogLevel.Error, "Query {Query} version {Version} could not be begun; it is tried again soon")]
    public static partial void QueryNotBegun(this ILogger log, string query, int version, Exception error);

    [LoggerMessage(6032, LogLevel.Warning, "Query {Query} version {Version} begins, and is hardly as meant: {Found}")]
    public static partial void QueryWarned(this ILogger log, string query, int version, string found);

    [LoggerMessage(6033, LogLevel.Warning,
        "Query {Query} leaves out {Entries} entries of reference data {Reference}, which no row can meet: {Why}")]
    public static partial void EntriesLeftOut(
        this ILogger log, string query, long entries, string reference, string why);
}
