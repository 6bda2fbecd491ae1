using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.TestKit;
using MQTTnet;

namespace Millrace.Integration.Tests.Survival;

/// <summary>What tests ask of the platform.</summary>
internal sealed partial class PlatformProcess
{
    /// <summary>Makes a device, and returns its key.</summary>
    public async Task<string> RegisterAsync(string deviceId)
    {
        using var made = await Api.PostAsJsonAsync("api/v1/devices", new { deviceId });
        Assert.That(made.IsSuccessStatusCode, Is.True, await made.Content.ReadAsStringAsync());
        var keys = await Api.GetFromJsonAsync<JsonObject>($"api/v1/devices/{deviceId}/keys");
        return keys!["primaryKey"]!.GetValue<string>();
    }

    public async Task ApplyAsync(string name, string text, string policy = "adjust", bool archiveOutputs = false)
    {
        using var answer = await Api.PostAsJsonAsync("api/v1/queries",
            new { name, text, policy, archiveOutputs, startFrom = "earliest" });
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A device that is connected until it is disposed of.</summary>
    public async Task<IMqttClient> ConnectAsync(string device, string key)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", MqttPort)
            .WithClientId(device).WithCredentials(device, key).Build(), CancellationToken.None);
        return client;
    }

    /// <summary>Waits until the device is shown as connected, or not, and gives what is shown.</summary>
    public async Task<JsonElement> ShowsAsync(string device, bool connected)
    {
        JsonElement shown = default;
        await Eventually.TrueAsync(async () =>
        {
            shown = await Api.GetFromJsonAsync<JsonElement>($"api/v1/devices/{device}");
            return shown.GetProperty("connected").GetBoolean() == connected;
        }, $"{device} is shown so", TimeSpan.FromSeconds(60));
        return shown;
    }

    /// <summary>Waits until every stage has all of it, and the windows have closed on their idle partitions.</summary>
    /// <param name="idleAfter">As long as a partition counts for having something new; a second if not given.</param>
    public async Task SettleAsync(TimeSpan? idleAfter = null)
    {
        // The longest window is 4 s, and the longest pause between two rows is that and the wait before it.
        var quiet = (idleAfter ?? TimeSpan.FromSeconds(1)) + TimeSpan.FromSeconds(6);
        await Eventually.TrueAsync(async () =>
        {
            var status = await Api.GetFromJsonAsync<JsonElement>("api/v1/status");
            return status.GetProperty("warmLag").GetInt64() == 0;
        }, "the warm store has caught up", TimeSpan.FromSeconds(60));

        var before = -1L;
        var since = Stopwatch.StartNew();
        var seen = "";
        await Eventually.TrueAsync(async () =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            var queries = await Api.GetFromJsonAsync<JsonElement>("api/v1/queries");
            seen = queries.ToString();
            var rows = queries.GetProperty("items").EnumerateArray()
                .Sum(q =>
                    q.GetProperty("status") is { ValueKind: JsonValueKind.Object } s
                        ? s.GetProperty("rowsOut").GetInt64() : 0);
            if (rows != before) since.Restart();
            before = rows;
            return since.Elapsed > quiet;
        }, () => $"the windows have closed: {seen}", quiet + TimeSpan.FromSeconds(180));
    }
}
