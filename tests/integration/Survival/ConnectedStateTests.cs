using System.Net.Http.Json;
using System.Text.Json;
using Millrace.TestKit;
using MQTTnet;

namespace Millrace.Integration.Tests.Survival;

/// <summary>What is shown of devices whose gateway could not say good-bye for them.</summary>
public class ConnectedStateTests() : PlatformTests(isShared: false)
{
    [Test]
    public async Task Devices_of_a_killed_gateway_are_shown_as_disconnected_when_it_has_started_again()
    {
        using var gone = await ConnectAsync("gone", await Platform.RegisterAsync("gone"));
        var key = await Platform.RegisterAsync("back");
        using var back = await ConnectAsync("back", key);
        await ShowsAsync("gone", true);
        await ShowsAsync("back", true);

        await Platform.KillAsync();
        await Platform.StartAsync();
        using var again = await ConnectAsync("back", key);
        var state = await ShowsAsync("gone", false);
        Assert.That(state.GetProperty("disconnectReason").GetString(), Is.EqualTo("gateway-lost"));
        await ShowsAsync("back", true);
    }

    private async Task<JsonElement> ShowsAsync(string device, bool connected)
    {
        JsonElement shown = default;
        await Eventually.TrueAsync(async () =>
        {
            shown = await Api.GetFromJsonAsync<JsonElement>($"api/v1/devices/{device}");
            return shown.GetProperty("connected").GetBoolean() == connected;
        }, $"{device} is shown so", TimeSpan.FromSeconds(30));
        return shown;
    }

    private async Task<IMqttClient> ConnectAsync(string device, string key)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", Platform.MqttPort)
            .WithClientId(device).WithCredentials(device, key).Build(), CancellationToken.None);
        return client;
    }
}
