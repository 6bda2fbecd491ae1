using Microsoft.Extensions.Logging;

namespace Millrace.Registry;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Information,
        "Keys of {Renewed} devices were put under the present key of device keys, those of {Left} devices are not")]
    public static partial void KeysRenewed(this ILogger log, long renewed, long left);

    [LoggerMessage(2002, LogLevel.Warning,
        "Keys of {Renewed} devices were put under the present key of device keys, then it failed; tried again later")]
    public static partial void KeysNotRenewed(this ILogger log, long renewed, Exception failure);

    [LoggerMessage(2003, LogLevel.Information,
        "That device {DeviceId} was deleted is told now; who deleted it could not tell it")]
    public static partial void EndTold(this ILogger log, string deviceId);

    [LoggerMessage(2004, LogLevel.Warning, "Which deletions of devices are to be told could not be looked at or told")]
    public static partial void EndsNotTold(this ILogger log, Exception failure);
}
