using Microsoft.Extensions.Logging;

namespace Millrace;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Warning, "No answer yet from: {Servers}; the roles start when they answer")]
    public static partial void WaitsForServers(this ILogger log, string servers);

    [LoggerMessage(1002, LogLevel.Information, "All servers answer; the roles start")]
    public static partial void ServersAnswer(this ILogger log);

    [LoggerMessage(1003, LogLevel.Information, "This process does the housekeeping of the hub from now on")]
    public static partial void HousekeepingHere(this ILogger log);

    [LoggerMessage(1004, LogLevel.Information, "Another process does the housekeeping of the hub from now on")]
    public static partial void HousekeepingGone(this ILogger log);
}
