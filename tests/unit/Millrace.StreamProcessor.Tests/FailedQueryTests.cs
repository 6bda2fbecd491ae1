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

    private static async Task SaveAsync(IQueryStore store, string name, QueryState state) =>
        await store.SaveAsync(new QueryConfig
        {
            Name = name,
            Version = 1,
            Text = $"SELECT v INTO {name} FROM telemetry",
            Options = new QueryOptions(),
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
