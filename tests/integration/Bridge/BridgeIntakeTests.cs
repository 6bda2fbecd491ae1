using Millrace.Contracts;
using Millrace.Integration.Tests.Gateway;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>From a real mosquitto into the event log.</summary>
public class BridgeIntakeTests
{
    [Test]
    public async Task A_message_becomes_telemetry_by_its_mapping(
        [Values("V5", "V311")] string version, [Values(0, 1, 2)] int qos)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos, more: [
            ("Version", version), ("Subscriptions:0:Topic", "plant/{line}/{machine}/#"),
            ("Subscriptions:0:ModuleId", "{$.part}"), ("Subscriptions:0:ContentType", "application/json"),
            ("Subscriptions:0:Properties:line", "{line}"), ("Subscriptions:0:Body", "$.values"),
        ]));
        await ConnectedAsync(host);
        await using var publisher = await Publisher.ConnectAsync(broker.Port);

        await publisher.PublishAsync("plant/a/press/x/y", """{"part":"p1","values":{"t":1}}""", qos, message => message
            .WithUserProperty("unit", "C"u8.ToArray()).WithContentType("text/plain").WithResponseTopic("answers"));

        var record = (await host.TelemetryAsync(1))[0];
        Assert.That((record.DeviceId, record.Body), Is.EqualTo(("press", """{"t":1}""")));
        Assert.That(record.Headers["auth-method"], Is.EqualTo("bridge:plant"));
        Assert.That(record.Headers["mqtt-topic"], Is.EqualTo("plant/a/press/x/y"));
        Assert.That(record.Headers["module-id"], Is.EqualTo("p1"));
        Assert.That(record.Headers["content-type"], Is.EqualTo("application/json"));
        Assert.That(record.Headers["app.line"], Is.EqualTo("a"));
        Assert.That(record.Headers.GetValueOrDefault("app.unit"), Is.EqualTo(version == "V5" ? "C" : null));
        Assert.That(record.Headers.ContainsKey("mqtt-session") && record.Headers.ContainsKey("mqtt-exchange"),
            Is.EqualTo(qos == 2));
        Assert.That(host.Meters["publishes.received"], Is.EqualTo(1));
        await Eventually.TrueAsync(() => host.Meters["bridge.accepted/plant"] == 1, "it is counted");
    }

    [Test]
    public async Task What_cannot_be_mapped_is_dead_lettered_counted_and_acknowledged([Values(1, 2)] int qos)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(
            broker.Port, qos, more: [("Subscriptions:0:Properties:t", "{$.t}"), ("InFlightMax", "2")]));
        await ConnectedAsync(host);
        await using var publisher = await Publisher.ConnectAsync(broker.Port);

        for (var i = 0; i < 20; i++) await publisher.PublishAsync("plant/press/data", $"broken {i}", qos);
        await publisher.PublishAsync("plant/press/data", """{"t":1}""", qos);

        await host.TelemetryAsync(1);
        await Eventually.TrueAsync(async () => (await LettersAsync(host)).Count >= 20, "they are written beside it");
        var letters = await LettersAsync(host);
        Assert.That(letters, Has.Count.EqualTo(20));
        Assert.That(letters.Select(letter => letter.Id).Distinct().Count(), Is.EqualTo(20));
        Assert.That(letters[3].Value, Is.EqualTo("broken 3"u8.ToArray()));
        Assert.That((letters[3].Stage, letters[3].ErrorCode, letters[3].Reason),
            Is.EqualTo(("gateway", "GW-0105", "field-missing: {$.t}")));
        Assert.That(letters[3].Headers.Select(header => header.Name), Does.Contain("mqtt-topic"));
        Assert.That(host.Meters["bridge.deadlettered/plant"], Is.EqualTo(20));
        Assert.That(host.Meters["publishes.rejected/dead-letter"], Is.EqualTo(20));
    }

    [Test]
    public async Task While_the_log_is_slow_the_broker_keeps_the_messages([Values(1, 2)] int qos)
    {
        await using var broker = await Mosquitto.StartAsync("allow_anonymous true\nmax_inflight_messages 1000");
        await using var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(broker.Port, qos, more: [("InFlightMax", "16")]));
        await ConnectedAsync(host);
        host.Log.Shut();
        await using var publisher = await Publisher.ConnectAsync(broker.Port);

        await publisher.NumbersAsync(Numbers.Topics, 0, 100, qos);
        await Eventually.TrueAsync(() => host.Meters["bridge.received/plant"] == 16, "the window is full");
        Assert.That(await host.TelemetryAsync(), Is.Empty);
        host.Log.Open();

        Numbers.AssertOnce(await host.TelemetryAsync(600), 100);
        Assert.That(host.Meters["bridge.duplicates/plant"], Is.Zero);
    }

    [Test]
    public async Task While_the_log_is_slow_the_broker_is_heard_and_the_connection_stays()
    {
        await using var broker = await Mosquitto.StartAsync("allow_anonymous true\nmax_inflight_messages 1000");
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos: 2, more: [
            ("Version", "V311"), ("InFlightMax", "16"), ("KeepAlive", "00:00:03"), ("ConnectTimeout", "00:00:02"),
        ]));
        await ConnectedAsync(host);
        host.Log.Shut();
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        await publisher.NumbersAsync(Numbers.Topics, 0, 100, qos: 2);
        await Eventually.TrueAsync(() => host.Meters["bridge.received/plant"] == 16, "the window is full");

        // Longer than a ping and the wait for its answer.
        await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System);
        host.Log.Open();

        Numbers.AssertOnce(await host.TelemetryAsync(600), 100);
        Assert.That(host.Meters["bridge.failures/plant"], Is.Zero);
        Assert.That(host.Meters["bridge.duplicates/plant"], Is.Zero);
    }

    [Test]
    public async Task What_the_log_refuses_is_not_acknowledged_and_comes_again([Values(1, 2)] int qos)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos));
        await ConnectedAsync(host);
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        await publisher.NumbersAsync(Numbers.Topics, 0, 10, qos);
        await host.TelemetryAsync(60);

        host.Log.Fill(true);
        await publisher.NumbersAsync(Numbers.Topics, 10, 90, qos);
        await Eventually.TrueAsync(() => host.Meters["bridge.failures/plant"] > 1, "the log has refused");
        Assert.That(await host.TelemetryAsync(), Has.Count.EqualTo(60));
        host.Log.Fill(false);

        Numbers.AssertOnce(await host.TelemetryAsync(600), 100);
        await Eventually.TrueAsync(() => host.Meters["publishes.inflight"] == 0, "nothing is in flight");
    }

    [Test]
    public async Task What_the_log_has_although_it_failed_is_found_and_not_written_again()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port, qos: 2));
        await ConnectedAsync(host);
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        await publisher.NumbersAsync(Numbers.Topics, 0, 10, qos: 2);
        await host.TelemetryAsync(60);

        host.Log.Doubt(true);
        await publisher.NumbersAsync(Numbers.Topics, 10, 90, qos: 2);
        await Eventually.TrueAsync(() => host.Meters["bridge.failures/plant"] > 1, "the log has failed");
        host.Log.Doubt(false);

        await Eventually.TrueAsync(async () => (await host.TelemetryAsync()).Count >= 600, "all are there");
        await Eventually.TrueAsync(() => host.Meters["publishes.inflight"] == 0, "nothing is in flight");
        Numbers.AssertOnce(await host.TelemetryAsync(600), 100);
        Assert.That(host.Meters["bridge.duplicates/plant"], Is.Positive);
    }

    internal static Task ConnectedAsync(GatewayHost host, string name = "plant") => Eventually.TrueAsync(
        () => host.Meters[$"bridge.connected/{name}"] == 1, $"bridge {name} is connected");

    internal static async Task<List<DeadLetter>> LettersAsync(GatewayHost host)
    {
        var letters = new List<DeadLetter>();
        await foreach (var batch in host.ReadAsync(Topics.DeadLetter))
        {
            foreach (var record in batch)
            {
                letters.Add(System.Text.Json.JsonSerializer.Deserialize(
                    record.Value, ContractJson.Default.DeadLetter)!);
            }
        }

        return letters;
    }
}
