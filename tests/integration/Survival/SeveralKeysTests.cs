using Millrace.Contracts;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>A query that groups one input by keys that go across one another, while it runs.</summary>
public class SeveralKeysTests
{
    private const string Query = """
        SELECT line, COUNT(*) AS n, AVG(value) AS mean INTO keyed FROM telemetry
        GROUP BY line, HoppingWindow(second, 4, 2);
        SELECT value % 10 AS digit, COUNT(*) AS n INTO keyed FROM telemetry
        GROUP BY value % 10, TumblingWindow(second, 2);
        SELECT number, value INTO keyed FROM telemetry WHERE value > 95
        """;

    [Test]
    public async Task It_is_answered_in_two_stages_with_the_rows_of_one_place_over_a_kill_too()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        var fleet = new TrackedFleet(platform, devices: 8, window: 8);
        await fleet.RegisterAsync();
        await platform.ApplyAsync("keyed", Query);
        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        await SentAsync(fleet, 400);
        await platform.KillAsync();
        await platform.StartAsync();
        await SentAsync(fleet, 800);
        await stop.CancelAsync();
        await load;
        await platform.SettleAsync();
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(folder.Path);
        var expected = await stopped.UndisturbedAsync("keyed", "keyed");
        Assert.That(expected.Values.Count(row => row.Contains("line")), Is.GreaterThan(2));
        Assert.That(expected.Values.Count(row => row.Contains("digit")), Is.GreaterThan(9));
        Assert.That(expected.Values.Count(row => row.Contains("number")), Is.GreaterThan(9));
        Assert.That(await stopped.OutputAsync("keyed", "keyed"), Is.EqualTo(expected));

        var records = (await stopped.TelemetryAsync()).Count;
        Assert.That(await SentBetweenAsync(stopped), Is.EqualTo(2 * records), "each event goes by two keys");
        var places = (await stopped.BatchesAsync(Topics.Output("keyed"))).Where(HasRows)
            .Select(batch => batch.Partition).Distinct();
        Assert.That(places.Count(), Is.GreaterThan(1), "several places answer");
    }

    private static Task SentAsync(TrackedFleet fleet, int messages) => Eventually.TrueAsync(
        () => fleet.Acknowledged.Count >= messages, $"{messages} messages are in the log", TimeSpan.FromSeconds(60));

    private static bool HasRows(RecordBatch batch)
    {
        foreach (var record in batch)
        {
            if (record.TryGetHeader(OutputHeaders.RowId, out _)) return true;
        }

        return false;
    }

    /// <summary>The rows between the stages, each once though an owner that was killed may have sent it too.</summary>
    private static async Task<int> SentBetweenAsync(StoppedPlatform stopped)
    {
        var rows = new HashSet<(int Target, int Source, long Offset, int Ordinal)>();
        foreach (var batch in await stopped.BatchesAsync(Topics.Repartition("keyed")))
        {
            foreach (var record in batch)
            {
                if (RepartitionRecord.TryRead(record.Value, out var head) && head.Kind == RepartitionKind.Row)
                    rows.Add((batch.Partition.Partition, head.Source, head.Offset, head.Ordinal));
            }
        }

        return rows.Count;
    }
}
