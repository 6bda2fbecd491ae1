using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>What a user sees of the bridges of a running platform.</summary>
public class BridgeStatusTests
{
    [Test]
    public async Task The_api_and_the_command_show_how_a_bridge_is()
    {
        using var folder = new TemporaryFolder();
        await using var broker = await Mosquitto.StartAsync();
        await using var platform = new PlatformProcess(folder.Path, BridgeSettings.Of(broker.Port));
        await platform.StartAsync();
        await BridgeAsync(platform, "connected");
        await using (var publisher = await Publisher.ConnectAsync(broker.Port))
            await publisher.NumbersAsync(Numbers.Topics, 0, 5, 1);
        var bridge = await BridgeAsync(platform, "connected", accepted: 30);
        Assert.That(bridge.GetProperty("name").GetString(), Is.EqualTo("plant"));
        Assert.That(bridge.GetProperty("clientId").GetString(), Is.EqualTo("gateway-1"));
        Assert.That(bridge.GetProperty("received").GetInt64(), Is.EqualTo(30));

        await broker.StopAsync();
        bridge = await BridgeAsync(platform, "disconnected");
        Assert.That(bridge.GetProperty("lastError").GetString(), Does.StartWith("GW-0104"));

        var listed = await Command.MillraceAsync("bridge", "list", "--output", "json", "--data", folder.Path);
        Assert.That(listed.ExitCode, Is.Zero, listed.Error);
        Assert.That(listed.Output, Does.Contain("plant").And.Contain("disconnected").And.Contain("GW-0104"));
        using var unasked = new HttpClient();
        using var answer = await unasked.GetAsync(new Uri(platform.Api.BaseAddress!, "api/v1/bridges"));
        Assert.That((int)answer.StatusCode, Is.EqualTo(401));
    }

    private static async Task<JsonElement> BridgeAsync(PlatformProcess platform, string state, long accepted = 0)
    {
        var bridge = default(JsonElement);
        await Eventually.TrueAsync(async () =>
        {
            var page = await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/bridges");
            if (page.GetProperty("items").GetArrayLength() == 0) return false;
            bridge = page.GetProperty("items")[0];
            return bridge.GetProperty("state").GetString() == state
                && bridge.GetProperty("accepted").GetInt64() >= accepted;
        }, $"the bridge is {state}");
        return bridge;
    }
}
