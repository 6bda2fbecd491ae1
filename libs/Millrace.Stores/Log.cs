using Microsoft.Extensions.Logging;

namespace Millrace.Stores;

internal static partial class Log
{
    [LoggerMessage(3201, LogLevel.Debug, "Removed {Count} rows of {Kind} that were past their retention")]
    public static partial void RowsExpired(this ILogger log, long count, string kind);

    [LoggerMessage(3202, LogLevel.Warning, "Retention could not remove old rows; it tries again")]
    public static partial void RetentionFailed(this ILogger log, Exception error);
}
