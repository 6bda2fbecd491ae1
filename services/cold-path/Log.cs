using Microsoft.Extensions.Logging;

namespace Millrace.ColdPath;

internal static partial class Log
{
    [LoggerMessage(8000, LogLevel.Warning, "A result failed on its way, and the connection was cut: {Code} {Message}")]
    public static partial void ResultCut(this ILogger log, string code, string message);

    [LoggerMessage(8001, LogLevel.Information, "Job {Job} wrote {Rows} rows, {Bytes} bytes to {Key}")]
    public static partial void JobWritten(this ILogger log, string job, long rows, long bytes, string key);
}
