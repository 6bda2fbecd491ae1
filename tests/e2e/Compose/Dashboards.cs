using System.Text.Json.Nodes;
using Millrace.E2E.Tests.Machines;

namespace Millrace.E2E.Tests.Compose;

/// <summary>The dashboards that Grafana is given.</summary>
internal static class Dashboards
{
    private const string Folder = "charts/millrace/files/dashboards";

    /// <summary>Panels that show something of any platform at work on a cluster's servers.</summary>
    public static readonly string[] AlwaysBusy =
    [
        "fleet/Devices connected", "fleet/Messages a second", "fleet/Shortest certificate", "fleet/Bridges connected",
        "ingest/Received", "ingest/Accepted and rejected", "ingest/Acknowledgement", "ingest/In flight",
        "queries/Records in", "queries/Behind", "queries/Delay", "queries/Busy", "queries/Records a core",
        "stores/Rows written", "stores/Behind", "stores/Delay", "stores/Cassandra: statements",
        "stores/Cassandra: duration", "stores/Cassandra: connections", "archive/Behind", "archive/Rows added",
        "archive/Flush", "archive/Commits", "archive/Object store", "cluster/Up", "cluster/Behind on the log",
        "cluster/Processor", "cluster/Memory", "cluster/Garbage collection: collections", "cluster/Allocated",
        "cluster/Thread pool: waiting work", "cluster/API: requests", "cluster/API: duration",
    ];

    /// <summary>Each expression of each panel, as Grafana sends it.</summary>
    public static IEnumerable<(string Panel, string Expression)> Expressions() =>
        from file in Directory.EnumerateFiles(Path.Combine(Shell.Root, Folder), "*.json")
        from panel in JsonNode.Parse(File.ReadAllText(file))!["panels"]!.AsArray()
        from target in panel!["targets"]!.AsArray()
        let expression = ((string)target!["expr"]!).Replace("$__rate_interval", "30s").Replace("$__range", "10m")
        select ($"{Path.GetFileNameWithoutExtension(file)}/{panel["title"]}", expression);
}
