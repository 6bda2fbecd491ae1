using System.Globalization;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>
/// TIMESTAMP BY ... OVER k of a query that is answered by k in two stages: each k's windows end by its own events.
/// </summary>
public class KeyTimelineTests
{
    private static readonly TimeSpan Lag = TimeSpan.FromMinutes(10);

    /// <summary>The end of a window, of events that are on their way for longer than a test takes.</summary>
    private readonly DateTimeOffset _start =
        DateTimeOffset.FromUnixTimeSeconds((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 10 * 10) - 1_200);

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task OpenAsync() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task CloseAsync() => await _hub.DisposeAsync();

    [Test]
    public async Task Windows_wait_neither_for_a_key_that_lags_nor_for_the_tolerance_also_after_a_restart()
    {
        await _hub.Get<IQueryStore>().SaveAsync(new QueryConfig
        {
            Name = "timelines",
            Version = 1,
            Text = "SELECT room, COUNT(*) AS n, SUM(v) AS s INTO closed FROM telemetry TIMESTAMP BY at OVER room " +
                "WHERE v > 0 GROUP BY room, TumblingWindow(second, 10)",
            Options = new QueryOptions { StartFrom = "earliest", LateTolerance = TimeSpan.FromHours(1) },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, 0);
        await SendAsync("lagging", (1, 1));
        await SendAsync("brisk", (1, 10), (4, 20), (12, 40));
        await ShowsAsync("""{"room":"brisk","n":8,"s":120}""");
        await _hub.RestartAsync();
        await SendAsync("lagging", (2, 2));
        // Nobody takes these, but they end the windows before them.
        await SendAsync("lagging", (11, 0));
        await SendAsync("brisk", (21, 0));
        await ShowsAsync("""{"room":"brisk","n":8,"s":120}""", """{"room":"lagging","n":8,"s":12}""",
            """{"room":"brisk","n":4,"s":160}""");
    }

    /// <summary>Events of a room in each partition, by seconds of its own time behind the start.</summary>
    private async Task SendAsync(string room, params (int Seconds, int Value)[] events)
    {
        foreach (var (seconds, value) in events)
        {
            var at = _start + TimeSpan.FromSeconds(seconds) - (room == "lagging" ? Lag : default);
            for (var p = 0; p < ProcessorFixture.Partitions; p++)
            {
                await _hub.AppendAsync(p, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), $"d{p}",
                    $$"""
                    {"room":"{{room}}","v":{{value}},"at":"{{at.ToString("O", CultureInfo.InvariantCulture)}}"}
                    """);
            }
        }
    }

    /// <summary>These rows come, and no other.</summary>
    private async Task ShowsAsync(params string[] rows)
    {
        await Eventually.TrueAsync(async () => (await _hub.RowsAsync("closed")).Count >= rows.Length,
            $"there are {rows.Length} rows");
        Assert.That((await _hub.RowsAsync("closed")).Values, Is.EquivalentTo(rows));
    }
}
