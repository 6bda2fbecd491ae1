using Millrace.Integration.Tests.Gateway;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>
/// Brokers, networks and gateways that go away: what the broker had acknowledged to its publishers is in the log, each
/// topic in its order, and with QoS 2 once as long as the broker keeps to it.
/// </summary>
public class BridgeSurvivalTests
{
    private const int Seed = 20_261_125;

    [Test]
    public async Task A_network_that_is_cut_again_and_again(
        [Values("V5", "V311")] string version, [Values(1, 2)] int qos)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var proxy = new CutProxy(broker.Port);
        await using var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(proxy.Port, qos, more: [("Version", version)]));
        await BridgeIntakeTests.ConnectedAsync(host);
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        var random = new Random(Seed);

        const int rounds = 8;
        for (var round = 0; round < rounds; round++)
        {
            var publishing = publisher.NumbersAsync(Numbers.Topics, round * 25, 25, qos);

            // Half of the time acks are lost first, so that the broker has to send again what is in the log.
            var before = proxy.Accepted;
            if (random.Next(2) == 0) proxy.SwallowUp();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5, 60)), TimeProvider.System);
            proxy.Cut();
            await publishing;
            await Eventually.TrueAsync(() => proxy.Accepted > before, "the bridge connects again");
        }

        await EventuallyAllAsync(host, rounds * 25);
        var records = await host.TelemetryAsync();
        if (qos == 2) Numbers.AssertOnce(records, rounds * 25);
        else Numbers.AssertInOrder(records, rounds * 25);
        TestContext.Out.WriteLine($"{records.Count} records, {host.Meters["bridge.duplicates/plant"]} known again, "
            + $"{proxy.Accepted} connections, seed {Seed}");
    }

    [Test]
    public async Task A_broker_that_is_restarted_while_gateway_and_network_come_and_go([Values(1, 2)] int qos)
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        var settings = BridgeSettings.Of(broker.Port, qos);
        var host = await GatewayHost.StartInAsync(folder.Path, settings);
        await BridgeIntakeTests.ConnectedAsync(host);
        await PublishAsync(broker, 0, qos);
        await broker.StopAsync();
        await broker.StartAgainAsync();
        await PublishAsync(broker, 1, qos);
        await EventuallyAllAsync(host, 100);
        await host.DisposeAsync();

        // The broker keeps for the gateway what comes while it is away, over a restart of its own too.
        await PublishAsync(broker, 2, qos);
        await broker.StopAsync();
        await broker.StartAgainAsync();
        await PublishAsync(broker, 3, qos);
        host = await GatewayHost.StartInAsync(folder.Path, settings);
        await EventuallyAllAsync(host, 200);

        // Over its own restart mosquitto 2.0 may publish again what it has released: a new message by §4.3.3.
        Numbers.AssertInOrder(await host.TelemetryAsync(), 200);
        await host.DisposeAsync();
    }

    [Test]
    public async Task A_resumed_session_has_nothing_on_its_way_that_stands_before_it_was_resumed()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        var settings = BridgeSettings.Of(broker.Port, qos: 2);
        await using (var first = await GatewayHost.StartInAsync(folder.Path, settings))
        {
            await BridgeIntakeTests.ConnectedAsync(first);
            await using var publisher = await Publisher.ConnectAsync(broker.Port);
            await publisher.NumbersAsync(Numbers.Topics, 0, 10, qos: 2);
            await first.TelemetryAsync(60);
        }

        await using var host = await GatewayHost.StartInAsync(
            folder.Path, [.. settings, ("Gateway:DrainTimeout", "00:00:01")]);
        await BridgeIntakeTests.ConnectedAsync(host);
        host.Log.Shut();
        await using var again = await Publisher.ConnectAsync(broker.Port);
        await again.NumbersAsync(Numbers.Topics, 10, 1, qos: 2);
        await Eventually.TrueAsync(() => host.Meters["bridge.received/plant"] == 6, "taken, and on its way");

        // What is saved while they are on their way, at the end of the connection.
        var stopping = host.StopAsync();
        Stores.Bridges.BridgeSession? saved = null;
        await Eventually.TrueAsync(async () => (saved = await host.Bridges.FindSessionAsync("plant", "gateway-1"))
            is { Open.Count: 6 }, "it is saved");
        host.Log.Open();
        await stopping;
        for (var p = 0; p < saved!.Offsets.Count; p++)
        {
            var before = (await host.TelemetryAsync()).Count(
                record => record.Partition == p && Numbers.Number(record.Body) < 10);
            Assert.That(saved.Offsets[p], Is.EqualTo(before), $"partition {p}");
        }
    }

    [Test]
    public async Task A_broker_that_is_restarted_with_messages_in_flight([Values("V5", "V311")] string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(broker.Port, 2, more: [("Version", version), ("InFlightMax", "20")]));
        await BridgeIntakeTests.ConnectedAsync(host);
        host.Log.Shut();
        await PublishAsync(broker, 0, 2);
        await Eventually.TrueAsync(() => host.Meters["bridge.received/plant"] >= 20, "messages are in flight");
        await broker.StopAsync();
        host.Log.Open();
        await broker.StartAgainAsync();

        await EventuallyAllAsync(host, 50);
        Numbers.AssertOnce(await host.TelemetryAsync(), 50);
    }

    [Test]
    public async Task A_gateway_that_is_killed_writes_a_message_with_qos_2_once()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        await using var proxy = new CutProxy(broker.Port);
        await using var platform = new PlatformProcess(folder.Path, BridgeSettings.Of(proxy.Port, 2));
        await platform.StartAsync();
        await Eventually.TrueAsync(() => proxy.Accepted > 0, "the bridge connects");
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        var random = new Random(Seed);

        const int kills = 4;
        for (var kill = 0; kill < kills; kill++)
        {
            await publisher.NumbersAsync(Numbers.Topics, kill * 50, 25, 2);
            var publishing = publisher.NumbersAsync(Numbers.Topics, (kill * 50) + 25, 25, 2);

            // Every other time the log gets messages whose PUBREC is lost; else the crash comes where it comes.
            if (kill % 2 == 0) proxy.SwallowUp();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 150)), TimeProvider.System);
            await platform.KillAsync();
            proxy.Cut();
            await publishing;
            await platform.StartAsync();
        }

        await Eventually.TrueAsync(async () => await TelemetryRecordsAsync(platform) >= kills * 50 * 6,
            "all messages are in the log", TimeSpan.FromSeconds(60));
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);
        await using var stopped = new StoppedPlatform(folder.Path);
        var records = (await stopped.TelemetryAsync()).OrderBy(r => r.Key.Offset).Select(r => r.Value)
            .GroupBy(r => r.Device).ToDictionary(d => d.Key, d => d.Select(r => Numbers.Number(r.Body)).ToList());
        Assert.That(records, Has.Count.EqualTo(Numbers.Topics.Length));
        foreach (var (device, numbers) in records)
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(0, kills * 50)), $"{device}, seed {Seed}");
    }

    private static async Task PublishAsync(Mosquitto broker, int round, int qos)
    {
        await using var publisher = await Publisher.ConnectAsync(broker.Port);
        await publisher.NumbersAsync(Numbers.Topics, round * 50, 50, qos);
    }

    private static async Task<long> TelemetryRecordsAsync(PlatformProcess platform)
    {
        using var status = System.Text.Json.JsonDocument.Parse(await platform.Api.GetStringAsync("api/v1/status"));
        return status.RootElement.GetProperty("telemetryRecords").GetInt64();
    }

    private static Task EventuallyAllAsync(GatewayHost host, int count) => Eventually.TrueAsync(async () =>
    {
        var numbers = Numbers.Of(await host.TelemetryAsync());
        return numbers.Count == Numbers.Topics.Length && numbers.Values.All(each => each.Distinct().Count() >= count);
    }, $"all {count} numbers of each topic are in the log", TimeSpan.FromSeconds(30));
}
