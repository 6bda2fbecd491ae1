using Microsoft.Extensions.Logging;

namespace Millrace.Api;

internal static partial class Log
{
    [LoggerMessage(9001, LogLevel.Error, "Request {Path} failed with {Code}")]
    public static partial void RequestFailed(this ILogger log, string path, string code, Exception error);
}
