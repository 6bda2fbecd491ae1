using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;

namespace Millrace.Cql.Observability;

/// <summary>What the client counts. Names of OpenTelemetry's semantic conventions where there is one.</summary>
internal static class CqlMetrics
{
    public const string Name = "Millrace.Cql";

    public static readonly ActivitySource Spans = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "db.client.operation.duration", "s", "From a statement's start to its answer, all tries included.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        });

    public static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>(
        "db.client.connection.count", "{connection}", "Open connections, by whether requests are under way there.");

    public static readonly Counter<long> ConnectionFailures = Meter.CreateCounter<long>(
        "millrace.cql.connection.failures", "{connection}", "Connections that could not be made or were lost.");

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "millrace.cql.retries", "{request}", "Requests that were sent again, by reason.");

    public static readonly Counter<long> Reprepared = Meter.CreateCounter<long>(
        "millrace.cql.reprepared", "{statement}", "Statements that a node had forgotten.");

    public static readonly Counter<long> OrphanedStreams = Meter.CreateCounter<long>(
        "millrace.cql.streams.orphaned", "{stream}", "Requests that were given up before their answer came.");

    public static readonly Counter<long> ProtocolViolations = Meter.CreateCounter<long>(
        "millrace.cql.protocol.violations", "{connection}", "Connections that were ended for what the server sent.");

    public static readonly Counter<long> Warnings = Meter.CreateCounter<long>(
        "millrace.cql.warnings", "{warning}", "Warnings that came with answers.");

    /// <summary>
    /// A pool is the connections to one node, and has no name of its own: the conventions make one of these.
    /// </summary>
    public static string PoolName(IPEndPoint endPoint, string? keyspace) =>
        keyspace is null ? $"{endPoint}" : $"{endPoint}/{keyspace}";

    public static KeyValuePair<string, object?> Server(IPEndPoint endPoint) =>
        new("server.address", endPoint.Address.ToString());
}
