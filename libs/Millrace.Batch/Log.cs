using Microsoft.Extensions.Logging;

namespace Millrace.Batch;

internal static partial class Log
{
    [LoggerMessage(8100, LogLevel.Warning, "Spark at {Remote} does not answer yet, {Seconds} s long: {Why}")]
    public static partial void WaitingForSpark(this ILogger log, string remote, string why, int seconds);

    [LoggerMessage(8101, LogLevel.Information, "Spark at {Remote} answers, version {Version}")]
    public static partial void Answers(this ILogger log, string remote, string version);
}
