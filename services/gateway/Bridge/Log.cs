using Microsoft.Extensions.Logging;

namespace Millrace.Gateway.Bridge;

internal static partial class Log
{
    [LoggerMessage(4400, LogLevel.Information, "Bridge {Bridge} is connected to {Broker}; session kept: {SessionKept}")]
    public static partial void Connected(this ILogger log, string bridge, string broker, bool sessionKept);

    [LoggerMessage(4401, LogLevel.Warning, "Bridge {Bridge}: {Error}")]
    public static partial void Failed(this ILogger log, string bridge, string error, Exception? cause);

    [LoggerMessage(4402, LogLevel.Warning, "{Code}: bridge {Bridge} got a message on {Topic} that is no telemetry: "
        + "{Reason} [{Offending}]")]
    public static partial void DeadLettered(
        this ILogger log, string code, string bridge, string topic, string reason, string? offending);

    [LoggerMessage(4403, LogLevel.Warning,
        "{Code}: bridge {Bridge} cannot send {Partition} offset {Offset}: {Reason}")]
    public static partial void Unsendable(
        this ILogger log, string code, string bridge, string partition, long offset, string reason);

    [LoggerMessage(4404, LogLevel.Information,
        "Bridge {Bridge} resumes its session: {Open} messages are not released, {Read} records were read")]
    public static partial void Resumes(this ILogger log, string bridge, int open, long read);

    [LoggerMessage(4405, LogLevel.Warning, "Bridge {Bridge} stopped with {InFlight} messages in flight")]
    public static partial void StoppedEarly(this ILogger log, string bridge, long inFlight);

    [LoggerMessage(4406, LogLevel.Warning, "The status of bridge {Bridge} cannot be written")]
    public static partial void StatusFails(this ILogger log, string bridge, Exception cause);

    [LoggerMessage(4407, LogLevel.Information, "Bridge {Bridge} has replayed the dead letter {Id}")]
    public static partial void Replayed(this ILogger log, string bridge, string id);

    [LoggerMessage(4408, LogLevel.Warning, "{Code}: bridge {Bridge} cannot replay the dead letter {Id}: {Reason}")]
    public static partial void ReplayRefused(this ILogger log, string code, string bridge, string id, string reason);

    [LoggerMessage(4409, LogLevel.Warning, "The places of outputs that are gone cannot be looked for")]
    public static partial void ForgettingFails(this ILogger log, Exception cause);
}
