using System.Text.Json.Nodes;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Compose;

/// <summary>The platform on one machine, with the servers of a cluster, by one command.</summary>
[Category("Compose")]
public class ComposeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Slow = TimeSpan.FromMinutes(3);

    [Test]
    public async Task What_devices_and_a_bridged_broker_send_is_read_back_by_the_API_and_from_the_archive()
    {
        using var folder = new TemporaryFolder();
        await using var stack = await ComposeStack.CreateAsync("docker/compose.yml");
        await stack.UpAsync();
        Assert.That(await stack.ReadAsync("/proc/1/maps"), Does.Contain("/app/libjemalloc.so.2"));
        var authority = folder.Sub("ca.crt");
        await File.WriteAllTextAsync(authority, await stack.ReadAsync("/certificates/secrets/ca.crt"));
        using var api = new HubApi(
            "http://127.0.0.1:8080/", (await stack.ReadAsync("/data/admin.token")).Trim());

        // As welcome.txt says it.
        var created = await stack.MillraceAsync("device", "create", "pump-1", "--output", "json");
        var key = (string)JsonNode.Parse(created)!["primaryKey"]!;
        await Mosquitto.PublishAsync("localhost", 8883, authority, "telemetry", """{"temperature": 91}""",
            "-i", "pump-1", "-u", "pump-1", "-P", key);
        await Mosquitto.PublishAsync("localhost", 8884, authority, "plant/line1/press7/data",
            """{"temperature": 47}""");

        await TemperatureComesAsync(api, "pump-1", 91);
        await TemperatureComesAsync(api, "line1-press7", 47);
        Assert.That(await stack.MillraceAsync("telemetry", "show", "line1-press7"), Does.Contain("47"));
        const string both = "SELECT temperature FROM telemetry WHERE device_id IN ('pump-1', 'line1-press7')";
        await Eventually.TrueAsync(async () => (await api.SqlAsync(both)).Count == 2, "both are in the archive", Soon);

        var statistics = await stack.MillraceAsync(
            "cold", "run", "device-hour-statistics", "--param", "columns=battery");
        Assert.That(statistics, Does.Contain("drone-"));
        Assert.That(await stack.MillraceAsync("query", "list"), Does.Contain("low-battery"));
        Assert.That((await api.TelemetryAsync("drone-00000")).Count, Is.Positive, "the fleet sends");

        await DashboardsShowAsync(stack);
        await SparkAnswersAsync(stack, api, both);
    }

    /// <summary>Every expression of the dashboards is one to Prometheus, and what always happens is shown.</summary>
    private static async Task DashboardsShowAsync(ComposeStack stack)
    {
        await stack.AddAsync("docker/compose.observability.yml", "prometheus");
        using var prometheus = new PrometheusApi("http://127.0.0.1:9090/");
        await Eventually.TrueAsync(async () => await prometheus.TryAskAsync("sum(up)") == 4, "all are scraped", Soon);
        Assert.That(await prometheus.RulesAsync(), Is.Positive);
        await Eventually.TrueAsync(async () => await prometheus.TryAskAsync(
            "sum(rate(millrace_gateway_publishes_accepted_total[30s]))") > 0, "rates are there", Soon);
        var silent = await SilentAsync(prometheus);
        await Eventually.TrueAsync(
            async () => !(silent = await SilentAsync(prometheus)).Intersect(Dashboards.AlwaysBusy).Any(),
            () => $"panels of what always happens show it, and not nothing: {string.Join("; ", silent)}", Soon);
        TestContext.Progress.WriteLine($"Panels that show nothing here: {string.Join("; ", silent)}");
    }

    /// <summary>A rate needs two scrapes of each process.</summary>
    private static async Task<List<string>> SilentAsync(PrometheusApi prometheus)
    {
        var silent = new List<string>();
        foreach (var panel in Dashboards.Expressions().GroupBy(each => each.Panel, each => each.Expression))
        {
            var shown = await Task.WhenAll(panel.Select(prometheus.AskAsync));
            if (shown.All(value => value is null)) silent.Add(panel.Key);
        }

        return silent;
    }

    private static async Task SparkAnswersAsync(ComposeStack stack, HubApi api, string sql)
    {
        await stack.AddAsync("docker/compose.spark.yml", "spark", "api");
        await Eventually.TrueAsync(async () => await api.TryGetAsync("readyz") is not null, "the API is back", Slow);
        Assert.That(await api.SqlAsync(sql), Has.Count.EqualTo(2));
        Assert.That(await stack.ComposeAsync("exec", "-T", "api", "printenv", "MILLRACE_Batch__Kind"),
            Does.Contain("Spark"));
    }

    private static Task TemperatureComesAsync(HubApi api, string device, double temperature) =>
        Eventually.TrueAsync(async () => (await api.TelemetryAsync(device))
                .Any(body => (double?)body["temperature"] == temperature),
            $"the message of {device} is read back", Soon);
}
