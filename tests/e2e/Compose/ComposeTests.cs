using System.Text.Json.Nodes;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Compose;

/// <summary>The platform on one machine, with the servers of a cluster, by one command.</summary>
[Category("Compose")]
public class ComposeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Test]
    public async Task What_devices_and_a_bridged_broker_send_is_read_back_by_the_API_and_from_the_archive()
    {
        using var folder = new TemporaryFolder();
        await using var stack = await ComposeStack.CreateAsync("docker/compose.yml");
        await stack.UpAsync();
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
    }

    private static Task TemperatureComesAsync(HubApi api, string device, double temperature) =>
        Eventually.TrueAsync(async () => (await api.TelemetryAsync(device))
                .Any(body => (double?)body["temperature"] == temperature),
            $"the message of {device} is read back", Soon);
}
