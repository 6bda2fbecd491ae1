using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>Alert rules and dashboards ask for metrics that the processes export, by the names that Prometheus
/// gives them.</summary>
public partial class MetricNamesTests
{
    /// <summary>Of the runtime, the web server and Prometheus itself, as far as somebody asks for them.</summary>
    private static readonly string[] Others =
    [
        "up", "dotnet_process_cpu_time_seconds_total", "dotnet_process_memory_working_set_bytes",
        "dotnet_gc_pause_time_seconds_total", "dotnet_gc_collections_total",
        "dotnet_gc_heap_total_allocated_bytes_total", "dotnet_thread_pool_queue_length_total",
        "dotnet_monitor_lock_contentions_total", "dotnet_exceptions_total",
        "http_server_request_duration_seconds_bucket", "http_server_request_duration_seconds_count",
    ];

    private static readonly Dictionary<string, string> Units =
        new() { ["s"] = "_seconds", ["ms"] = "_milliseconds", ["By"] = "_bytes" };

    private static IEnumerable<string> Askers() => Tree.Files("*.json")
        .Where(f => f.StartsWith("charts/millrace/files/dashboards/")).Append("charts/millrace/files/alerts.yaml");

    [TestCaseSource(nameof(Askers))]
    public void Metrics_that_are_asked_for_are_exported(string file)
    {
        var exported = Tree.Source.SelectMany(f => InstrumentPattern().Matches(Tree.Read(f)))
            .SelectMany(Exported).Concat(Others).ToHashSet();
        var asked = ExpressionPattern().Matches(Tree.Read(file))
            .SelectMany(e => NamePattern().Matches(StringPattern().Replace(e.Value, "")))
            .Select(name => name.Value).Distinct().ToList();

        Assert.That(asked, Has.Count.GreaterThan(5));
        Assert.That(asked.Except(exported), Is.Empty);
    }

    [Test]
    public void Dashboards_are_those_of_the_platform() => Assert.That(
        Askers().Where(f => f.EndsWith(".json")).Select(f => Path.GetFileNameWithoutExtension(f)),
        Is.EqualTo(new[] { "archive", "cluster", "fleet", "ingest", "queries", "stores" }));

    /// <summary>What Prometheus' exporter makes of an instrument.</summary>
    private static IEnumerable<string> Exported(Match instrument)
    {
        var (kind, unit) = (instrument.Groups["kind"].Value, instrument.Groups["unit"].Value);
        var name = instrument.Groups["name"].Value.Replace('.', '_');
        var suffix = Units.GetValueOrDefault(unit, "");
        if (!name.EndsWith(suffix)) name += suffix;
        return kind switch
        {
            "Counter" => [name + "_total"],
            "Histogram" => [name + "_bucket", name + "_count", name + "_sum"],
            _ => [name],
        };
    }

    [GeneratedRegex("""
        Create(?:Observable)?(?<kind>Counter|UpDownCounter|Histogram|Gauge)(?:<\w+>)?\(\s*
        "(?<name>[a-z.]+)"(?:,[^;]*?"(?<unit>s|ms|By)"[,)])?
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex InstrumentPattern();

    /// <summary>An expression of a dashboard, or one of an alert rule up to the next key.</summary>
    [GeneratedRegex("""
        "expr": "(?:[^"\\]|\\.)*"|^ +expr:(?:.|\n)*?(?=^ +(?:for|labels):)
        """, RegexOptions.Multiline)]
    private static partial Regex ExpressionPattern();

    [GeneratedRegex(@"\b(?:millrace|dotnet|http|db|kestrel|up)(?:_[a-z_]+\b|\b(?=\{))")]
    private static partial Regex NamePattern();

    [GeneratedRegex("""
        \\"[^"]*\\"|by \([^)]*\)
        """)]
    private static partial Regex StringPattern();
}
