using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Stores.Queries;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>A stored query whose text the program took when it was applied, and the next program does not.</summary>
public class AgedTextTests() : PlatformTests(isShared: false)
{
    private const string Text = "SELECT v INTO aged FROM telemetry TIMESTAMP BY at OVER v";

    [Test]
    public async Task It_is_told_where_it_fails_nobody_else_does_and_a_text_that_compiles_goes_on()
    {
        var key = await Platform.RegisterAsync("pump");
        await Platform.ApplyAsync("aged", Text);
        await Platform.ApplyAsync("calm", "SELECT v INTO calm FROM telemetry");
        await SendAsync(key, 1);
        await ShowsAsync("aged", 1);
        await ShowsAsync("calm", 1);
        Assert.That(await Platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, Platform.Printed);
        await using (var stopped = new StoppedPlatform(Folder.Path))
        {
            var store = stopped.Get<IQueryStore>();
            var stored = (await store.FindAsync("aged"))!;
            Assert.That(await store.SaveAsync(
                stored with { Text = $"{Text}\nUNION SELECT v FROM alerts" }, stored.Version), Is.True);
        }

        await Platform.StartAsync();
        var shown = await FailedAsync();
        Assert.That(shown.GetProperty("status").GetProperty("error").GetString(),
            Does.StartWith("SP-0004: ").And.Contain("[aged]").And.Contain("SQ-0023 line 2, column "));
        Assert.That(shown.GetProperty("text").GetString(), Does.StartWith(Text));
        var explained = await Api.GetFromJsonAsync<JsonElement>("api/v1/queries/aged/explain");
        Assert.That(explained.GetProperty("plan").GetString(), Does.Contain("\nSQ-0023 line 2, column "));
        using (var other = await ApplyAsync("other", "SELECT v INTO aged FROM telemetry"))
            Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.Conflict), "its output is its own");
        await SendAsync(key, 2);
        await ShowsAsync("calm", 1, 2);
        Assert.That((await FailedAsync()).GetProperty("status").GetProperty("lagRecords").GetInt64(), Is.EqualTo(1));

        using var corrected = await ApplyAsync("aged", $"{Text} WHERE v > 0");
        Assert.That(corrected.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await SendAsync(key, 3);
        await ShowsAsync("aged", 1, 2, 3);
        var now = await Api.GetFromJsonAsync<JsonElement>("api/v1/queries/aged");
        Assert.That((now.GetProperty("version").GetInt32(), now.GetProperty("state").GetString()),
            Is.EqualTo((2, "running")));
    }

    private async Task<JsonElement> FailedAsync()
    {
        JsonElement shown = default;
        await Eventually.TrueAsync(async () =>
        {
            var list = await Api.GetFromJsonAsync<JsonElement>("api/v1/queries");
            shown = list.GetProperty("items").EnumerateArray().First(q => q.GetProperty("name").GetString() == "aged");
            return shown.GetProperty("state").GetString() == "failed";
        }, "it is shown as failed");
        return shown;
    }

    private Task<HttpResponseMessage> ApplyAsync(string name, string text) =>
        Api.PostAsJsonAsync("api/v1/queries", new { name, text });

    private async Task SendAsync(string key, int value)
    {
        using var client = await Platform.ConnectAsync("pump", key);
        var sent = await client.PublishStringAsync("telemetry",
            $$"""{"at":"{{TimeProvider.System.GetUtcNow().UtcDateTime:O}}","v":{{value}}}""",
            MqttQualityOfServiceLevel.AtLeastOnce);
        Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        await client.DisconnectAsync();
    }

    /// <summary>These rows come, and no other.</summary>
    private async Task ShowsAsync(string output, params int[] values)
    {
        List<int> shown = [];
        await Eventually.TrueAsync(async () =>
        {
            var page = await Api.GetFromJsonAsync<JsonElement>($"api/v1/outputs/{output}/rows?limit=100");
            shown = [.. page.GetProperty("items").EnumerateArray()
                .Select(item => item.GetProperty("row").GetProperty("v").GetInt32())];
            return shown.Count >= values.Length;
        }, () => $"{output} has {values.Length} rows; found {string.Join(", ", shown)}");
        Assert.That(shown, Is.EquivalentTo(values));
    }
}
