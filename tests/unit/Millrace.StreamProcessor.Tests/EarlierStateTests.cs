using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A version of a query that goes on with what the one before it keeps.</summary>
public class EarlierStateTests
{
    private readonly long _startMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task OpenAsync() => await (_hub = new ProcessorFixture(
        settings: new Dictionary<string, string?> { ["EventLog:TimeAheadMax"] = "30d" })).StartAsync();

    [TearDown]
    public async Task CloseAsync() => await _hub.DisposeAsync();

    [TestCase("IoTHub.ConnectionDeviceId", TestName = "One_that_is_answered_by_partition_goes_on")]
    [TestCase("k", TestName = "One_that_is_answered_by_key_goes_on")]
    public async Task It_answers_with_what_came_before_it_and_after_a_restart_too(string key)
    {
        await ApplyAsync(1, Window(10, key), "earliest");
        await AppendAsync(1_000, 2);
        await AppendAsync(2_000, 3);
        await Eventually.TrueAsync(
            async () => (await StatusAsync())?.RowsIn == 2, "the first version has read what came");

        await ApplyAsync(2, Window(5, key), "state");
        await Eventually.TrueAsync(async () => (await StatusAsync())?.Version == 2, "the second version runs");
        await _hub.RestartAsync();
        await AppendAsync(3_000, 4);
        for (var p = 0; p < ProcessorFixture.Partitions; p++) await AppendAsync(8 * 86_400_000, 0, p);
        await Eventually.TrueAsync(async () => (await _hub.RowsAsync("sums")).Count > 0, "the window has a row");
        Assert.That((await _hub.RowsAsync("sums")).First().Value, Is.EqualTo("""{"n":3,"s":9}"""));
    }

    [Test]
    public async Task One_that_keeps_something_else_stops_and_says_so()
    {
        await ApplyAsync(1, Window(10), "earliest");
        await AppendAsync(1_000, 2);
        await Eventually.TrueAsync(async () => (await StatusAsync())?.RowsIn == 1, "the first version has read it");
        await ApplyAsync(2, Window(10).Replace("SUM(v)", "MAX(v)"), "state");
        await Eventually.TrueAsync(async () => await StatusAsync() is { State: QueryState.Failed } status
            && status.Error!.Contains("SP-0009") && status.Error.Contains("Version 1"), "its status says why");
    }

    private static string Window(int least, string key = "IoTHub.ConnectionDeviceId") =>
        $"SELECT COUNT(*) AS n, SUM(v) AS s INTO sums FROM telemetry GROUP BY {key}, " +
        $"TumblingWindow(day, 7) HAVING SUM(v) >= {least}";

    private async Task<QueryStatus?> StatusAsync() => await _hub.Get<IQueryStore>().StatusAsync("q");

    private Task AppendAsync(long at, int v, int partition = 0) =>
        _hub.AppendAsync(partition, _startMs + at, $"d{partition}", $$"""{"k":1,"v":{{v}}}""");

    private async Task ApplyAsync(int version, string text, string from)
    {
        var config = new QueryConfig
        {
            Name = "q",
            Version = version,
            Text = text,
            Options = new QueryOptions { StartFrom = from },
            Outputs = ["sums"],
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.That(await _hub.Get<IQueryStore>().SaveAsync(config, version - 1), Is.True);
    }
}
