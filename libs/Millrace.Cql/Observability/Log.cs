using System.Net;
using Microsoft.Extensions.Logging;

namespace Millrace.Cql.Observability;

/// <summary>Messages of the client: 5001 to 5099.</summary>
internal static partial class Log
{
    [LoggerMessage(5001, LogLevel.Debug, "Node {Node} takes only protocol v{Version}")]
    public static partial void OlderProtocol(this ILogger log, IPEndPoint node, int version);

    [LoggerMessage(5002, LogLevel.Information, "Node {Node} is up")]
    public static partial void NodeUp(this ILogger log, IPEndPoint node);

    [LoggerMessage(5003, LogLevel.Warning, "Node {Node} is down: {Reason}")]
    public static partial void NodeDown(this ILogger log, IPEndPoint node, string reason);

    [LoggerMessage(5004, LogLevel.Warning, "The ring cannot be read through {Node}: {Reason}")]
    public static partial void RingUnread(this ILogger log, IPEndPoint? node, string reason);

    [LoggerMessage(5005, LogLevel.Information, "The ring has {Nodes} nodes, {Local} of them in {Datacenter}")]
    public static partial void RingChanged(this ILogger log, int nodes, int local, string datacenter);

    [LoggerMessage(5006, LogLevel.Warning, "{Warning}")]
    public static partial void ServerWarns(this ILogger log, string warning);

    [LoggerMessage(5007, LogLevel.Warning, "{Error}")]
    public static partial void SchemaDisagrees(this ILogger log, string error);
}
