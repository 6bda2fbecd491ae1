using Microsoft.Extensions.Logging;

namespace Millrace.EventLog.Kafka;

internal static partial class Log
{
    // Said again and again while a broker is away; see QuietLog.
    public const int ClientWarnedId = 3100, ClientFailedId = 3102, TopicWaitsId = 3114;

    [LoggerMessage(3100, LogLevel.Warning, "Kafka client: {Facility}: {Text}")]
    public static partial void ClientWarned(this ILogger log, string facility, string text);

    [LoggerMessage(3101, LogLevel.Information, "Kafka client: {Facility}: {Text}")]
    public static partial void ClientTold(this ILogger log, string facility, string text);

    [LoggerMessage(3102, LogLevel.Warning, "Kafka: {Error} {Reason}")]
    public static partial void ClientFailed(this ILogger log, string error, string reason);

    [LoggerMessage(3103, LogLevel.Error,
        "The producer cannot go on: {Error}; {Appends} appends fail without an ack, and a new producer takes over")]
    public static partial void ProducerGivenUp(this ILogger log, string error, int appends);

    [LoggerMessage(3104, LogLevel.Warning,
        "Kafka at {Servers} does not answer ({Error}); trying again, {Seconds} s so far")]
    public static partial void WaitingForCluster(this ILogger log, string servers, string error, int seconds);

    [LoggerMessage(3105, LogLevel.Information, "Kafka at {Servers} answers: {Topics} topics")]
    public static partial void ClusterAnswers(this ILogger log, string servers, int topics);

    [LoggerMessage(3106, LogLevel.Information,
        "Topic {Topic} made with {Partitions} partitions, {Replicas} replicas, {InSync} of them in sync at least")]
    public static partial void TopicMade(this ILogger log, string topic, int partitions, int replicas, int inSync);

    [LoggerMessage(3107, LogLevel.Warning, "Topic {Topic} differs from what is configured: {Differences}")]
    public static partial void TopicDiffers(this ILogger log, string topic, string differences);

    [LoggerMessage(3108, LogLevel.Information, "{Group} works on {Partitions} of {Topic} more")]
    public static partial void Assigned(this ILogger log, string group, string topic, string partitions);

    [LoggerMessage(3109, LogLevel.Information, "{Group} gives up {Partitions} of {Topic}")]
    public static partial void Revoked(this ILogger log, string group, string topic, string partitions);

    [LoggerMessage(3110, LogLevel.Warning, "{Group} lost {Partitions} of {Topic}: another process may have them")]
    public static partial void Lost(this ILogger log, string group, string topic, string partitions);

    [LoggerMessage(3111, LogLevel.Warning,
        "{Group} has not ended its work on {Topic} within {Timeout}; another process takes the partitions now")]
    public static partial void RevocationLate(this ILogger log, string group, string topic, TimeSpan timeout);

    [LoggerMessage(3112, LogLevel.Error, "{Group} is out of its group ({Error}) and joins it again")]
    public static partial void MemberFailed(this ILogger log, string group, string error);

    [LoggerMessage(3113, LogLevel.Warning, "The lag is not known now: {Error}")]
    public static partial void LagUnknown(this ILogger log, string error);

    [LoggerMessage(3114, LogLevel.Warning, "Topic {Topic} cannot be made or looked at yet; trying again: {Error}")]
    public static partial void TopicWaits(this ILogger log, string topic, string error);

    [LoggerMessage(3116, LogLevel.Warning,
        "Record {Offset} of {Topic} is no commit and is passed over: another program must have written it")]
    public static partial void CommitUnread(this ILogger log, string topic, long offset);

    [LoggerMessage(3117, LogLevel.Error, "{Code}: Topic {Topic} was given {Partitions} partitions; this process goes "
        + "on with its first {Known}, and does not see what is put into the others")]
    public static partial void PartitionsAdded(this ILogger log, string code, string topic, int partitions, int known);

    [LoggerMessage(3115, LogLevel.Warning,
        "{Keys} have no effect on Kafka, which does not tell the size of partitions: records go by their age alone")]
    public static partial void SizesIgnored(this ILogger log, string keys);

    [LoggerMessage(3118, LogLevel.Warning, "The cluster lets this process begin no transaction: what a process that "
        + "died had appended last may be overlooked where it is looked for ({Error})")]
    public static partial void BarriersGivenUp(this ILogger log, string error);
}
