using System.Diagnostics.Metrics;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What tells whoever watches that a query stands stopped by an error.</summary>
public class FailedQueryTests
{
    [Test]
    public async Task Each_that_stands_failed_is_shown_until_it_runs_again()
    {
        await using var hub = new ProcessorFixture();
        await hub.StartAsync();
        var store = hub.Get<IQueryStore>();
        await SaveAsync(store, "strict", QueryState.Failed);
        await SaveAsync(store, "calm", QueryState.Running);
        await hub.RestartAsync();
        await Eventually.TrueAsync(() => Shown().SequenceEqual(["strict"]), "the failed one is shown");

        await hub.Get<IQueryStore>().SetStateAsync("strict", QueryState.Running);
        await hub.RestartAsync();
        await Eventually.TrueAsync(() => Shown().Count == 0, "none is shown");
    }

    [Test]
    public async Task One_that_keeps_more_than_its_limit_stops_with_a_clear_status_and_its_neighbour_goes_on()
    {
        await using var hub = new ProcessorFixture();
        await hub.StartAsync();
        var store = hub.Get<IQueryStore>();
        await SaveAsync(store, "greedy", QueryState.Running, stateBytesMax: 20_000,
            text: "SELECT Collect(v) AS all_ INTO greedy FROM telemetry GROUP BY TumblingWindow(hour, 1)");
        await SaveAsync(store, "calm", QueryState.Running);
        await Eventually.TrueAsync(async () => await store.StatusAsync("greedy") is not null
            && await store.StatusAsync("calm") is not null, "both run");
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var body = $$"""{"v":"{{new string('x', 1000)}}"}""";
        for (var i = 0; i < 40; i++) await hub.AppendAsync(0, now + i, "pump", body);

        await Eventually.TrueAsync(
            async () => (await store.FindAsync("greedy"))!.State == QueryState.Failed, "it is stopped");
        Assert.That((await store.StatusAsync("greedy"))!.Error,
            Does.Contain("SQ-0203").And.Contain("greedy").And.Contain("20000"));
        await hub.AppendAsync(0, now + 100, "pump", """{"v":"last"}""");
        await Eventually.TrueAsync(async () => (await hub.RowsAsync("calm")).Count == 41, "the neighbour has its rows");
    }

    private static async Task SaveAsync(
        IQueryStore store, string name, QueryState state, long? stateBytesMax = null, string? text = null) =>
        await store.SaveAsync(new QueryConfig
        {
            Name = name,
            Version = 1,
            Text = text ?? $"SELECT v INTO {name} FROM telemetry",
            Options = new QueryOptions { StateBytesMax = stateBytesMax },
            State = state,
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, 0);

    private static List<string> Shown()
    {
        var names = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "millrace.query.failed") all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) =>
        {
            if (value == 1) names.Add((string)tags[0].Value!);
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return names;
    }
}
