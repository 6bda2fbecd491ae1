using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Integration.Tests.Archive;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>kill -9 under load, with windows open: nothing is lost, nothing counts twice.</summary>
public class KillNineTests
{
    private const int Kills = 10;
    private const int Seed = 20_261_124;

    private static readonly (string Name, string Output, string Text)[] Queries =
    [
        ("filter", "alerts",
            "SELECT IoTHub.ConnectionDeviceId AS deviceId, number, value INTO alerts FROM telemetry WHERE value > 95"),
        ("by-device", "by_device",
            "SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(value) AS total INTO by_device " +
            "FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 2)"),
        ("by-line", "by_line",
            "SELECT line, COUNT(*) AS n, AVG(value) AS mean INTO by_line FROM telemetry " +
            "GROUP BY line, HoppingWindow(second, 4, 2)"),
        ("fleet", "fleet",
            "SELECT COUNT(*) AS n, MIN(value) AS least, MAX(value) AS most INTO fleet FROM telemetry " +
            "GROUP BY TumblingWindow(second, 1)"),
    ];

    [Test]
    public async Task Ten_kills_lose_no_acknowledged_message_and_double_no_row()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        var fleet = new TrackedFleet(platform, devices: 8, window: 8);
        await fleet.RegisterAsync();
        foreach (var query in Queries) await ApplyAsync(platform, query.Name, query.Text);

        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        var random = new Random(Seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300, 1_800)), TimeProvider.System);
            await platform.KillAsync();
            await platform.StartAsync();
        }

        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        await stop.CancelAsync();
        await load;
        await SettleAsync(platform);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        var records = await stopped.TelemetryAsync();
        AssertEachAcknowledgedMessageIsThere(fleet, records);
        var devices = records.Values.Select(r => r.Device).Distinct();
        AssertSame(records, await stopped.WarmAsync(devices), "the warm store");
        await AssertArchiveIsTheLogAsync(folder, records);
        foreach (var (name, output, _) in Queries)
        {
            var expected = await stopped.UndisturbedAsync(name, output);
            Assert.That(expected, Is.Not.Empty, name);
            Assert.That(await stopped.OutputAsync(output, name), Is.EqualTo(expected), $"{name}, seed {Seed}");
        }

        TestContext.Out.WriteLine(
            $"{fleet.Acknowledged.Count} acknowledged, {records.Count} in the log, {Kills} kills");
    }

    private static void AssertEachAcknowledgedMessageIsThere(
        TrackedFleet fleet, Dictionary<(int Partition, long Offset), (string Device, string Body)> records)
    {
        var found = records.Values.Select(r => (r.Device, Number(r.Body))).CountBy(m => m).ToDictionary();
        Assert.That(fleet.Acknowledged, Is.Not.Empty);
        Assert.That(fleet.Acknowledged.Where(m => !found.ContainsKey(m)), Is.Empty, "acknowledged, and not in the log");
        Assert.That(found.Where(m => m.Value > fleet.Tries(m.Key)), Is.Empty, "more often in the log than it was sent");
    }

    private static async Task AssertArchiveIsTheLogAsync(
        TemporaryFolder folder, Dictionary<(int Partition, long Offset), (string Device, string Body)> records)
    {
        var (rows, _) = await IndependentDeltaReader.ReadAsync(Path.Combine(folder.Path, "archive", "telemetry"));
        var archived = new Dictionary<(int Partition, long Offset), (string Device, string Body)>();
        foreach (var row in rows)
        {
            var added = archived.TryAdd((row.Partition, row.Offset), (row.Device, row.Body));
            Assert.That(added, Is.True, $"{row.Partition}/{row.Offset} stands twice in the archive");
        }

        AssertSame(records, archived, "the archive");
    }

    private static void AssertSame(
        Dictionary<(int Partition, long Offset), (string Device, string Body)> records,
        Dictionary<(int Partition, long Offset), (string Device, string Body)> stored, string where)
    {
        var missing = records.Where(r => !stored.TryGetValue(r.Key, out var s) || s != r.Value).Take(3).ToList();
        Assert.That(missing, Is.Empty, $"in the log, and not so in {where}");
        Assert.That(stored, Has.Count.EqualTo(records.Count), $"{where} has rows that the log has not");
    }

    private static int Number(string body) => JsonDocument.Parse(body).RootElement.GetProperty("number").GetInt32();

    private static async Task ApplyAsync(PlatformProcess platform, string name, string text)
    {
        using var answer = await platform.Api.PostAsJsonAsync("api/v1/queries",
            new { name, text, startFrom = "earliest" });
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until every stage has all of it, and the windows have closed on their idle partitions.</summary>
    private static async Task SettleAsync(PlatformProcess platform)
    {
        await Eventually.TrueAsync(async () =>
        {
            var status = await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/status");
            return status.GetProperty("warmLag").GetInt64() == 0;
        }, "the warm store has caught up", TimeSpan.FromSeconds(60));

        var before = -1L;
        var same = 0;
        await Eventually.TrueAsync(async () =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            var queries = await platform.Api.GetFromJsonAsync<JsonElement>("api/v1/queries");
            var rows = queries.GetProperty("items").EnumerateArray()
                .Sum(q =>
                    q.GetProperty("status") is { ValueKind: JsonValueKind.Object } s
                        ? s.GetProperty("rowsOut").GetInt64() : 0);
            same = rows == before ? same + 1 : 0;
            before = rows;

            // The longest window is 4 s, and an idle partition is marked after one.
            return same >= 14;
        }, "the windows have closed", TimeSpan.FromSeconds(90));
    }
}
