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
}
