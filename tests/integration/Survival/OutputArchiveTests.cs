using System.Text.Json;
using Millrace.Integration.Tests.Archive;
using Millrace.Integration.Tests.Host;
using Millrace.Stores.Outputs;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>Outputs that are archived and kept warm have each row of their topic once, whatever happens.</summary>
public class OutputArchiveTests
{
    private static readonly (string Query, string Output, string Text)[] Queries =
    [
        ("plain", "Plain-Rows",
            "SELECT IoTHub.ConnectionDeviceId AS device, number, value INTO [Plain-Rows] FROM telemetry"),
        ("lines", "lines",
            "SELECT line, COUNT(*) AS n INTO lines FROM telemetry GROUP BY line, TumblingWindow(second, 1)"),
    ];

    [Test]
    public async Task Two_kills_under_load_lose_and_double_no_row_of_an_archived_output()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path, ("Archiver:OutputRollSize", "16KiB"),
            ("Delta:CheckpointInterval", "1"), ("Archiver:OutputScanInterval", "00:00:00.200"));
        await platform.StartAsync();
        var fleet = new TrackedFleet(platform, devices: 4, window: 8);
        await fleet.RegisterAsync();
        foreach (var (query, _, text) in Queries) await platform.ApplyAsync(query, text, archiveOutputs: true);

        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        for (var kill = 0; kill < 2; kill++)
        {
            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(1_500 + (700 * kill)), TimeProvider.System);
            await platform.KillAsync();
            await platform.StartAsync();
        }

        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        await stop.CancelAsync();
        await load;
        await platform.SettleAsync();
        await SqlReadsThemAsync(folder.Path);
        var shown = await Command.MillraceAsync(
            "query", "rows", "lines", "--limit", "3", "--output", "json", "--data", folder.Path);
        Assert.That(shown.ExitCode, Is.Zero, shown.Error);
        Assert.That(JsonDocument.Parse(shown.Output).RootElement.GetArrayLength(), Is.EqualTo(3));
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        foreach (var (query, output, _) in Queries)
        {
            var topic = await stopped.OutputAsync(output, query);
            Assert.That(topic, Is.Not.Empty, output);
            var table = Path.Combine(folder.Path, "archive", "outputs", output.ToLowerInvariant());
            Assert.That((await IndependentDeltaLog.ReadAsync(table)).Checkpoint, Is.Not.Null, output);
            var archived = await IndependentDeltaReader.ReadOutputAsync(table);
            Assert.That(archived.Select(row => row.RowId), Is.Unique, output);
            var rows = archived.Select(row => KeyValuePair.Create(row.RowId, row.Body));
            Assert.That(Ordered(rows), Is.EqualTo(Ordered(topic)), output);
            Assert.That(Ordered(await WarmAsync(stopped, output)), Is.EqualTo(Ordered(topic)), $"{output}, warm");
        }
    }

    /// <summary>By row-id: two lists are compared in one pass, two sets of thousands in minutes.</summary>
    private static List<KeyValuePair<string, string>> Ordered(IEnumerable<KeyValuePair<string, string>> rows) =>
        rows.OrderBy(row => row.Key, StringComparer.Ordinal).ToList();

    private static Task SqlReadsThemAsync(string data) => Eventually.TrueAsync(async () =>
    {
        var sql = await Command.MillraceAsync("cold", "sql",
            "SELECT (SELECT count(*) FROM \"Plain-Rows\") = (SELECT count(*) FROM telemetry) AS whole, count(*) AS n, "
            + "min(CAST(get_json_object(body, '$.n') AS BIGINT)) AS least FROM Lines WHERE query = 'lines'",
            "--output", "json", "--data", data);
        Assert.That(sql.ExitCode, Is.Zero, sql.Error);
        var row = JsonDocument.Parse(sql.Output).RootElement;
        return row.GetProperty("whole").GetBoolean() && row.GetProperty("n").GetInt64() > 0
            && row.GetProperty("least").GetInt64() > 0;
    }, "statements see all rows");

    private static async Task<Dictionary<string, string>> WarmAsync(StoppedPlatform stopped, string output)
    {
        var rows = new Dictionary<string, string>();
        string? token = null;
        do
        {
            var page = await stopped.Get<IOutputStore>().QueryAsync(output, null, null, 5_000, token);
            foreach (var row in page.Items) rows.Add(row.RowId, row.Json);
            token = page.Continuation;
        }
        while (token is not null);
        return rows;
    }
}
