using System.Net;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Integration.Tests.Gateway;
using Millrace.Integration.Tests.Survival;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>Dead letters of bridges are tried again when somebody asks.</summary>
public class BridgeReplayTests
{
    private static readonly (string, string)[] Broken = [("Subscriptions:0:DeviceId", "{$.nothing}")];

    [Test]
    public async Task A_message_is_mapped_again_and_stands_in_the_log_once_however_often_it_is_asked_for()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        var broken = BridgeSettings.Of(broker.Port, more: Broken);
        await using (var host = await GatewayHost.StartInAsync(folder.Path, broken))
        {
            await BridgeIntakeTests.ConnectedAsync(host);
            await using var publisher = await Publisher.ConnectAsync(broker.Port);
            await publisher.PublishAsync("plant/press/data", """{"t":1}""", 1, message => message
                .WithUserProperty("unit", "C"u8.ToArray()).WithContentType("application/json"));
            await StoreLetterAsync(host);
            await AskAsync(host);
            Assert.That((await LetterAsync(host)).State, Is.EqualTo(DeadLetterState.Open), "it cannot be mapped now");
            Assert.That(host.Meters["bridge.replays/plant"], Is.EqualTo(1));
        }

        await using var mended = await GatewayHost.StartInAsync(folder.Path, BridgeSettings.Of(broker.Port,
            more: [("Subscriptions:0:Properties:line", "a")]));
        for (var time = 0; time < 3; time++)
        {
            // As if the gateway had ended before it could say that the letter is replayed.
            await AskAsync(mended);
            Assert.That((await LetterAsync(mended)).State, Is.EqualTo(DeadLetterState.Replayed));
        }

        var record = (await mended.TelemetryAsync(1))[0];
        Assert.That((record.DeviceId, record.Body), Is.EqualTo(("press", """{"t":1}""")));
        Assert.That((record.Headers["auth-method"], record.Headers["mqtt-topic"], record.Headers["content-type"]),
            Is.EqualTo(("bridge:plant", "plant/press/data", "application/json")));
        Assert.That((record.Headers["app.unit"], record.Headers["app.line"]), Is.EqualTo(("C", "a")));
        Assert.That(record.Headers["dead-letter"], Is.EqualTo((await LetterAsync(mended)).Id));
    }

    [Test]
    public async Task The_real_process_replays_when_the_api_asks()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        string id;
        await using (var platform = new PlatformProcess(folder.Path, BridgeSettings.Of(broker.Port, more: Broken)))
        {
            await platform.StartAsync();
            await using var publisher = await Publisher.ConnectAsync(broker.Port);
            id = await PublishedLetterAsync(platform, publisher);
        }

        await using var mended = new PlatformProcess(folder.Path, BridgeSettings.Of(broker.Port));
        await mended.StartAsync();
        var path = $"api/v1/dead-letters/{Uri.EscapeDataString(id)}";
        using (var asked = await mended.Api.PostAsync($"{path}/replay", null))
            Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        await Eventually.TrueAsync(async () => await TextAsync(mended, path, "state") == "replayed", "it is replayed");

        using var again = await mended.Api.PostAsync($"{path}/replay", null);
        Assert.That(again.IsSuccessStatusCode, Is.False, "once is enough");
        await Eventually.TrueAsync(async () =>
        {
            using var page = JsonDocument.Parse(await mended.Api.GetStringAsync("api/v1/devices/press/telemetry"));
            return page.RootElement.GetProperty("items").GetArrayLength() == 1;
        }, "it is telemetry");
    }

    /// <summary>The bridge may connect after the first message has passed.</summary>
    private static async Task<string> PublishedLetterAsync(PlatformProcess platform, Publisher publisher)
    {
        string? id = null;
        await Eventually.TrueAsync(async () =>
        {
            using var page = JsonDocument.Parse(await platform.Api.GetStringAsync("api/v1/bridges"));
            var bridges = page.RootElement.GetProperty("items").EnumerateArray();
            return bridges.Any(each => each.GetProperty("state").GetString() == "connected");
        }, "the bridge is connected");
        await publisher.PublishAsync("plant/press/data", """{"t":1}""", 1);
        await Eventually.TrueAsync(async () =>
        {
            using var page = JsonDocument.Parse(await platform.Api.GetStringAsync("api/v1/dead-letters"));
            foreach (var item in page.RootElement.GetProperty("items").EnumerateArray())
                id = item.GetProperty("id").GetString();
            return id is not null;
        }, "the letter is listed");
        return id!;
    }

    private static async Task<string?> TextAsync(PlatformProcess platform, string path, string name)
    {
        using var item = JsonDocument.Parse(await platform.Api.GetStringAsync(path));
        return item.RootElement.GetProperty(name).GetString();
    }

    /// <summary>Waits for a dead letter, and puts it into the store as the platform's writer does.</summary>
    internal static async Task StoreLetterAsync(GatewayHost host)
    {
        List<DeadLetter> letters = [];
        await Eventually.TrueAsync(
            async () => (letters = await BridgeIntakeTests.LettersAsync(host)).Count > 0, "there is a letter");
        await host.DeadLetters.WriteAsync(
            new TopicPartition(Topics.DeadLetter, 0), letters, new SinkPosition(letters.Count));
    }

    /// <summary>Asks as the API does, and waits for the answer.</summary>
    internal static async Task AskAsync(GatewayHost host)
    {
        var letter = await LetterAsync(host);
        await host.DeadLetters.SetStateAsync(letter.Id, DeadLetterState.Replaying);
        await host.NoticeAsync(letter.Id, ControlKinds.DeadLetterReplay);
        await Eventually.TrueAsync(
            async () => (await LetterAsync(host)).State != DeadLetterState.Replaying, "it is answered");
    }

    internal static async Task<StoredDeadLetter> LetterAsync(GatewayHost host) =>
        (await host.DeadLetters.ListAsync(new DeadLetterFilter())).Items.Single();
}
