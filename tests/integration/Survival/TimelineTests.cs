using System.Net.Http.Json;
using System.Text.Json;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>
/// TIMESTAMP BY ... OVER the device on a running platform: each device's windows end by its own events.
/// </summary>
public class TimelineTests() : PlatformTests(isShared: false, ("EventLog:Partitions", "1"))
{
    private const string Query =
        "SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(value) AS total, System.Timestamp() AS ended " +
        "INTO closed FROM telemetry TIMESTAMP BY at OVER IoTHub.ConnectionDeviceId " +
        "GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 10)";

    /// <summary>The end of a window, of events that are on their way for longer than a test takes.</summary>
    private static readonly DateTimeOffset Start =
        DateTimeOffset.FromUnixTimeSeconds((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 10 * 10) - 1_200);

    private static readonly TimeSpan Lag = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, string> _keys = [];

    [Test]
    public async Task Windows_of_a_device_wait_neither_for_one_that_lags_nor_for_the_tolerance_also_after_a_restart()
    {
        foreach (var device in (string[])["brisk", "lagging"]) _keys[device] = await Platform.RegisterAsync(device);
        using (var applied = await Api.PostAsJsonAsync(
            "api/v1/queries", new { name = "timelines", text = Query, late = "1h", startFrom = "earliest" }))
        {
            Assert.That(applied.IsSuccessStatusCode, Is.True, await applied.Content.ReadAsStringAsync());
        }

        await SendAsync("lagging", (1, 1));
        await SendAsync("brisk", (1, 10), (4, 20), (12, 40));
        await ShowsAsync(Row("brisk", 10, 2, 30));
        await SendAsync("lagging", (2, 2), (13, 4));
        await SendAsync("brisk", (14, 80));
        await ShowsAsync(Row("brisk", 10, 2, 30), Row("lagging", 10, 2, 3));

        Assert.That(await Platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, Platform.Printed);
        await Platform.StartAsync();
        await SendAsync("brisk", (15, 160), (21, 320));
        await ShowsAsync(Row("brisk", 10, 2, 30), Row("lagging", 10, 2, 3), Row("brisk", 20, 3, 280));
        await SendAsync("lagging", (16, 8), (25, 16));
        string[] all =
        [
            Row("brisk", 10, 2, 30), Row("lagging", 10, 2, 3), Row("brisk", 20, 3, 280), Row("lagging", 20, 2, 12),
        ];
        await ShowsAsync(all);
        Assert.That(await RowsReadAsync(4), Is.EqualTo(4), "what came before the stop is of the state");

        Assert.That(await Platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, Platform.Printed);
        await using var stopped = new StoppedPlatform(Folder.Path);
        Assert.That((await stopped.OutputAsync("closed", "timelines")).Values, Is.EquivalentTo(all));
    }

    /// <summary>Events of a device, by seconds of its own time behind the start.</summary>
    private async Task SendAsync(string device, params (int Seconds, int Value)[] events)
    {
        using var client = await Platform.ConnectAsync(device, _keys[device]);
        foreach (var (seconds, value) in events)
        {
            var sent = await client.PublishStringAsync("telemetry",
                $$"""{"at":"{{At(device, seconds)}}","value":{{value}}}""", MqttQualityOfServiceLevel.AtLeastOnce);
            Assert.That(sent.IsSuccess, Is.True, sent.ReasonString);
        }

        await client.DisconnectAsync();
    }

    private static string At(string device, int seconds) =>
        $"{(Start + TimeSpan.FromSeconds(seconds) - (device == "lagging" ? Lag : default)).UtcDateTime:O}";

    private static string Row(string device, int end, int count, int total) =>
        $$"""{"device":"{{device}}","n":{{count}},"total":{{total}},"ended":"{{At(device, end)}}"}""";

    /// <summary>These rows come, and no other.</summary>
    private async Task ShowsAsync(params string[] rows)
    {
        List<string> shown = [];
        await Eventually.TrueAsync(async () =>
        {
            var page = await Api.GetFromJsonAsync<JsonElement>("api/v1/outputs/closed/rows?limit=100");
            shown = [.. page.GetProperty("items").EnumerateArray()
                .Select(item => item.GetProperty("row").GetRawText())];
            return shown.Count >= rows.Length;
        }, () => $"there are {rows.Length} rows; found {string.Join('\n', shown)}");
        Assert.That(shown, Is.EquivalentTo(rows));
    }

    /// <summary>How many rows the query says that it has read since it began to run, when it is that many.</summary>
    private async Task<long> RowsReadAsync(long atLeast)
    {
        var read = 0L;
        await Eventually.TrueAsync(async () =>
        {
            var shown = await Api.GetFromJsonAsync<JsonElement>("api/v1/queries/timelines");
            read = shown.GetProperty("status") is { ValueKind: JsonValueKind.Object } status
                ? status.GetProperty("rowsIn").GetInt64() : 0;
            return read >= atLeast;
        }, () => $"the query has read {atLeast} rows; it says {read}");
        return read;
    }
}
