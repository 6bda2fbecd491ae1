using Microsoft.Extensions.Logging;

namespace Millrace;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Warning, "The event log does not answer yet; the roles start when it does")]
    public static partial void WaitsForLog(this ILogger log);

    [LoggerMessage(1002, LogLevel.Information, "The event log answers; the roles start")]
    public static partial void LogAnswers(this ILogger log);

    [LoggerMessage(1003, LogLevel.Information, "This process does the housekeeping of the hub from now on")]
    public static partial void HousekeepingHere(this ILogger log);

    [LoggerMessage(1004, LogLevel.Information, "Another process does the housekeeping of the hub from now on")]
    public static partial void HousekeepingGone(this ILogger log);
}
