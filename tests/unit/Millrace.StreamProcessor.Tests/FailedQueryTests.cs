using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Outputs;
using Millrace.Stores.Queries;
using Millrace.Stores.Upgrades;
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

    [Test]
    public async Task What_keeps_one_from_beginning_is_in_its_status_until_it_has_begun()
    {
        await using var hub = new ProcessorFixture(more: Faulty<IQueryStore>.Register);
        await hub.StartAsync();
        var store = hub.Get<IQueryStore>();
        ((Faulty<IQueryStore>)(object)store).Fail(nameof(IQueryStore.FixStartAsync), int.MaxValue);
        await SaveAsync(store, "calm", QueryState.Running);
        await Eventually.TrueAsync(async () => (await store.StatusAsync("calm"))?.Error is not null, "it is told");
        var status = (await store.StatusAsync("calm"))!;
        Assert.That(status.State, Is.EqualTo(QueryState.Running));
        Assert.That(status.Error, Does.StartWith("ST-0001").And.Match(@"\(\d{4}-\d\d-\d\d .*Z\)$"));

        ((Faulty<IQueryStore>)(object)store).Fail("", 0);
        await Eventually.TrueAsync(
            async () => await store.StatusAsync("calm") is { Error: null, UpdatedAt: var at } && at > status.UpdatedAt,
            "it goes on");
    }

    /// <summary>As after an upgrade to a program that takes less than the one that kept the text.</summary>
    [Test]
    public async Task One_whose_text_does_not_compile_any_more_says_where_and_is_replaced_without_a_gap()
    {
        await using var hub = new ProcessorFixture();
        await hub.StartAsync(service => service.GetType().Name != "WarmWriterService");
        var store = hub.Get<IQueryStore>();
        await SaveAsync(store, "aged", QueryState.Running);
        await SaveAsync(store, "calm", QueryState.Running);
        await Eventually.TrueAsync(async () => await store.StatusAsync("aged") is not null
            && await store.StatusAsync("calm") is not null, "both run");
        await hub.AppendAsync(0, 1_000, "pump", """{"v":1}""");
        await Eventually.TrueAsync(async () => (await hub.RowsAsync("aged")).Count == 1, "it answers");
        await SaveAsync(store, "aged", QueryState.Running, over: 1,
            text: "SELECT v INTO aged FROM telemetry TIMESTAMP BY t OVER v\nUNION SELECT v FROM alerts");
        await hub.RestartAsync();

        store = hub.Get<IQueryStore>();
        await Eventually.TrueAsync(
            async () => (await store.FindAsync("aged"))!.State == QueryState.Failed, "it is stopped");
        var status = await store.StatusAsync("aged");
        Assert.That((status!.State, status.Version), Is.EqualTo((QueryState.Failed, 1)));
        Assert.That(status.Error,
            Does.StartWith("SP-0004: ").And.Contain("[aged]").And.Contain("SQ-0023 line 2, column 21: "));
        await hub.AppendAsync(0, 2_000, "pump", """{"v":2}""");
        await Eventually.TrueAsync(async () => (await hub.RowsAsync("calm")).Count == 2, "the neighbour goes on");
        await Eventually.TrueAsync(async () => (await hub.Get<IOutputStore>().QueryAsync(
            "aged", null, null, 10, null)).Items.Count == 1, "its row reaches the warm store");

        await SaveAsync(store, "aged", QueryState.Running, over: 1, version: 2, from: "last");
        await hub.AppendAsync(0, 3_000, "pump", """{"v":3}""");
        await Eventually.TrueAsync(async () => (await hub.RowsAsync("aged")).Count == 3, "none is missing");
        Assert.That((await hub.RowsAsync("aged")).Values,
            Is.EquivalentTo((string[])["""{"v":1}""", """{"v":2}""", """{"v":3}"""]));
        Assert.That((await store.StatusAsync("aged"))!.Error, Is.Null);
    }

    /// <summary>An older program may run it beside this one, or again after a rollback.</summary>
    [Test]
    public async Task One_whose_text_only_an_older_program_takes_is_left_to_it_until_the_upgrade_is_finalised()
    {
        var upgrade = new FinishableUpgrade();
        await using var hub = new ProcessorFixture(more: services => services.AddSingleton<IUpgradeStore>(upgrade));
        await hub.StartAsync();
        var store = hub.Get<IQueryStore>();
        await SaveAsync(store, "aged", QueryState.Running,
            text: "SELECT v INTO aged FROM telemetry TIMESTAMP BY t OVER v\nUNION SELECT v FROM alerts");
        await Eventually.TrueAsync(async () => (await store.StatusAsync("aged"))?.Error is not null, "it is told");
        var first = (await store.StatusAsync("aged"))!;
        await Eventually.TrueAsync(
            async () => (await store.StatusAsync("aged"))!.UpdatedAt > first.UpdatedAt, "it is told again");
        var status = await store.StatusAsync("aged");
        Assert.That((status!.State, (await store.FindAsync("aged"))!.State),
            Is.EqualTo((QueryState.Running, QueryState.Running)));
        Assert.That(status.Error, Does.StartWith("SP-0004: ").And.Contain("SQ-0023 line 2, column 21: "));
        await Eventually.TrueAsync(() => Shown().SequenceEqual(["aged"]), "it is shown");
        Assert.That((await hub.Log.GroupsAsync()).Any(group => ConsumerGroups.QueryOf(group) == "aged"), Is.False);

        upgrade.IsFinalised = true;
        await Eventually.TrueAsync(
            async () => (await store.FindAsync("aged"))!.State == QueryState.Failed, "it is stopped");
        Assert.That((await store.StatusAsync("aged"))!.State, Is.EqualTo(QueryState.Failed));
    }

    [Test]
    public async Task One_that_cannot_go_on_says_why_and_how_far_it_is_behind_until_it_can()
    {
        await using var hub = new ProcessorFixture(more: services =>
        {
            var inner = services.Last(each => each.ServiceType == typeof(IEventLog)).ImplementationFactory!;
            services.AddSingleton<IEventLog>(provider => new UncertainLog((IEventLog)inner(provider)));
        });
        await hub.StartAsync();
        var store = hub.Get<IQueryStore>();
        await SaveAsync(store, "calm", QueryState.Running);
        await Eventually.TrueAsync(async () => await store.StatusAsync("calm") is not null, "it runs");
        var log = (UncertainLog)hub.Log;
        log.Fail(Topics.Output("calm"), int.MaxValue, written: 0);
        for (var i = 0; i < 5; i++) await hub.AppendAsync(0, 1_000 + i, "pump", """{"v":1}""");

        await Eventually.TrueAsync(async () => await store.StatusAsync("calm") is
        { State: QueryState.Running, LagRecords: 5, Error: { } why } && why.StartsWith("LOG-0011", default),
            "its status says so");
        log.Fail("", 0, 0);
        await Eventually.TrueAsync(async () => await store.StatusAsync("calm") is { LagRecords: 0, Error: null },
            "it is all right again");
        Assert.That(await hub.RowsAsync("calm"), Has.Count.EqualTo(5));
    }

    /// <param name="over">The version that is there.</param>
    private static async Task SaveAsync(
        IQueryStore store, string name, QueryState state, long? stateBytesMax = null, string? text = null,
        int over = 0, int version = 1, string from = "now") =>
        Assert.That(await store.SaveAsync(new QueryConfig
        {
            Name = name,
            Version = version,
            Text = text ?? $"SELECT v INTO {name} FROM telemetry",
            Outputs = [name],
            Options = new QueryOptions { StateBytesMax = stateBytesMax, StartFrom = from },
            State = state,
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, over), Is.True);

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
