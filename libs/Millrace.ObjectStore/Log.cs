using Microsoft.Extensions.Logging;

namespace Millrace.ObjectStore;

internal static partial class Log
{
    [LoggerMessage(3400, LogLevel.Warning,
        "The object store with bucket {Bucket} does not answer ({Error}); trying again, {Seconds} s so far")]
    public static partial void WaitingForStore(this ILogger log, string bucket, string error, int seconds);

    [LoggerMessage(3401, LogLevel.Information, "The object store with bucket {Bucket} answers")]
    public static partial void StoreAnswers(this ILogger log, string bucket);

    [LoggerMessage(3402, LogLevel.Information, "Bucket {Bucket} made")]
    public static partial void BucketMade(this ILogger log, string bucket);
}
