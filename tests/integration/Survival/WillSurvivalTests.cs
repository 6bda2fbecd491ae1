using System.Diagnostics;
using System.Text.Json;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>kill -9 while devices with wills are connected: to them, a lost connection like any other.</summary>
public class WillSurvivalTests()
    : PlatformTests(isShared: false, ("Gateway:Limits:Device:ConnectsPerSecond", "0"))
{
    private const int Rounds = 5;
    private const int WillsARound = 20;
    private const int Seed = 20_261_126;

    private readonly Dictionary<string, string> _keys = [];

    [Test]
    public async Task After_a_kill_wills_come_when_their_time_comes_and_not_of_those_who_are_back_before()
    {
        await RegisterAsync("at-once", "old", "delayed", "expiring", "back", "gone");
        using var atOnce = await ConnectAsync("at-once");
        using var old = await ConnectAsync("old", version: MqttProtocolVersion.V311);
        using var delayed = await ConnectAsync("delayed", expiry: 600, delay: 3);
        using var expiring = await ConnectAsync("expiring", expiry: 2, delay: 500);
        using var back = await ConnectAsync("back", expiry: 600, delay: 500);
        using (var gone = await ConnectAsync("gone", expiry: 600, delay: 1))
        {
            await ConnectedAsync(6);
            await gone.DisconnectAsync();
        }

        // The client has sent that it goes; only once the platform knows, the kill does not concern it.
        await ConnectedAsync(5);
        await Platform.KillAsync();
        var watch = Stopwatch.StartNew();
        await Platform.StartAsync();
        await WillsAsync(1, "at-once", "old", "expiring", "delayed");
        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(3)));

        // The end of its session would make a will due that still waits there.
        using var again = await ConnectAsync("back", expiry: 600, hasWill: false);
        using var anew = await ConnectAsync("back", hasWill: false);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        await WillsAsync(0, "back", "gone");
        await WillsAsync(1, "at-once", "old", "expiring", "delayed");
    }

    [Test]
    public async Task Kills_while_wills_are_being_published_lose_none()
    {
        var devices = Enumerable.Range(0, WillsARound).Select(i => $"lost-{i}").ToArray();
        await RegisterAsync(devices);
        var random = new Random(Seed);
        for (var round = 0; round < Rounds; round++)
        {
            var clients = await Task.WhenAll(devices.Select(device => ConnectAsync(device)));
            foreach (var client in clients) client.Dispose();

            // How far it gets with their wills before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 30)), TimeProvider.System);
            await Platform.KillAsync();
            await Platform.StartAsync();
        }

        var counts = new List<int>();
        await Eventually.TrueAsync(async () =>
        {
            counts.Clear();
            foreach (var device in devices) counts.Add(await CountAsync(device));
            return counts.TrueForAll(count => count >= Rounds);
        }, "all wills are there", TimeSpan.FromSeconds(60));
        TestContext.Out.WriteLine($"{counts.Sum()} wills of {Rounds * WillsARound} lost connections");
    }

    private async Task RegisterAsync(params string[] devices)
    {
        foreach (var device in devices) _keys[device] = await Platform.RegisterAsync(device);
    }

    private async Task<IMqttClient> ConnectAsync(
        string device, uint expiry = 0, uint delay = 0, bool hasWill = true,
        MqttProtocolVersion version = MqttProtocolVersion.V500)
    {
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", Platform.MqttPort)
            .WithProtocolVersion(version).WithClientId(device).WithCredentials(device, _keys[device])
            .WithCleanStart(expiry == 0);
        if (version == MqttProtocolVersion.V500) options.WithSessionExpiryInterval(expiry);
        if (hasWill)
        {
            options.WithWillTopic($"devices/{device}/messages/events/").WithWillPayload("the will")
                .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
            if (version == MqttProtocolVersion.V500) options.WithWillDelayInterval(delay);
        }

        var client = new MqttClientFactory().CreateMqttClient();
        var answer = await client.ConnectAsync(options.Build(), CancellationToken.None);
        Assert.That(answer.ResultCode, Is.EqualTo(MqttClientConnectResultCode.Success));
        return client;
    }

    private async Task WillsAsync(int count, params string[] devices)
    {
        foreach (var device in devices)
        {
            await Eventually.TrueAsync(async () => await CountAsync(device) >= count, $"the will of {device}");
            Assert.That(await CountAsync(device), Is.EqualTo(count), device);
        }
    }

    private Task ConnectedAsync(int count) => Eventually.TrueAsync(async () =>
    {
        using var status = JsonDocument.Parse(await Platform.Api.GetStringAsync("api/v1/status"));
        return status.RootElement.GetProperty("devicesConnected").GetInt32() == count;
    }, $"{count} devices are connected");

    /// <summary>How many wills of the device are in its telemetry, of which there is nothing else.</summary>
    private async Task<int> CountAsync(string device)
    {
        var page = await Platform.Api.GetStringAsync($"api/v1/devices/{device}/telemetry");
        using var json = JsonDocument.Parse(page);
        var items = json.RootElement.GetProperty("items").EnumerateArray().ToList();
        foreach (var item in items)
            Assert.That(item.GetProperty("properties").GetProperty("mqtt-will").GetString(), Is.EqualTo("true"));
        return items.Count;
    }
}
