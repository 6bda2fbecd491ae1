using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Alerts;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Outputs;
using Millrace.Stores.Queries;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>The whole role, started and stopped, on a real log and a real store.</summary>
public class PlatformStreamTests
{
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task Telemetry_reaches_the_warm_store_and_a_keyless_record_goes_to_dead_letters_alone()
    {
        for (var i = 0; i < 100; i++) await _hub.AppendAsync(i % 4, Now + i, "pump", $$"""{"v":{{i}}}""");
        await _hub.AppendAsync(1, Now, null, "{}");
        await _hub.AppendAsync(1, Now, "pump", """{"v":100}""");

        var store = _hub.Get<ITelemetryStore>();
        await SoonAsync(async () => await store.CountAsync() == 101);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 1);
        Assert.That((await letters.ListAsync(new DeadLetterFilter())).Items[0].Letter.ErrorCode, Is.EqualTo("SP-0001"));
    }

    [TestCase("SELECT v INTO o FROM telemetry")]
    [TestCase("SELECT v, COUNT(*) AS n INTO o FROM telemetry GROUP BY v, TumblingWindow(second, 1)")]
    [TestCase("SELECT COUNT(*) AS n INTO o FROM telemetry GROUP BY System.Timestamp()")]
    public async Task A_query_does_not_take_a_keyless_record_and_dead_letters_it_once(string text)
    {
        await ApplyAsync("q", text);
        for (var i = 0; i < 20; i++)
            await _hub.AppendAsync(i % 4, Now + i, i == 7 ? null : "pump", $$"""{"v":{{i}}}""");

        await SoonAsync(async () => (await _hub.RowsAsync("o")).Count == 19);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 2);
        var found = (await letters.ListAsync(new DeadLetterFilter(Stage: DeadLetterStages.Query))).Items.Single();
        Assert.That((found.Letter.ErrorCode, found.Letter.Query, found.Letter.Partition, found.Letter.Offset),
            Is.EqualTo(("SQ-0108", "q", 3, 1L)));
    }

    [Test]
    public async Task A_row_that_fails_at_the_place_of_its_key_is_a_dead_letter_of_its_record()
    {
        await ApplyAsync("q",
            "SELECT v, SUM(10 / (v % 5)) AS s INTO o FROM telemetry GROUP BY v, TumblingWindow(second, 1)");
        for (var i = 0; i < 20; i++) await _hub.AppendAsync(i % 4, Now + i, "pump", $$"""{"v":{{i}}}""");

        await SoonAsync(async () => (await _hub.RowsAsync("o")).Count == 16);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 4);
        Assert.That((await letters.ListAsync(new DeadLetterFilter())).Items.Select(stored => stored.Letter),
            Has.All.Matches<DeadLetter>(l => l is { Topic: "telemetry", Stage: "query", ErrorCode: "SQ-0104" }));
    }

    [Test]
    public async Task A_query_raises_alerts_with_their_fields_and_its_outputs_are_kept()
    {
        await ApplyAsync("hot", """
            SELECT IoTHub.ConnectionDeviceId AS deviceId, 'critical' AS severity, 'hot' AS message, v INTO alerts
            FROM telemetry WHERE v > 90;
            SELECT v INTO all_values FROM telemetry
            """);
        for (var i = 0; i < 100; i++) await _hub.AppendAsync(i % 4, Now + i, $"d{i % 4}", $$"""{"v":{{i}}}""");

        var alerts = _hub.Get<IAlertStore>();
        await SoonAsync(async () => await alerts.CountAsync() == 9);
        var alert = (await alerts.QueryAsync(new AlertFilter(DeviceId: "d3"))).Items[0];
        Assert.That((alert.Severity, alert.Message, alert.Query), Is.EqualTo((AlertSeverity.Critical, "hot", "hot")));
        Assert.That(alert.DetailsJson, Is.EqualTo("""{"v":99}"""));
        var outputs = _hub.Get<IOutputStore>();
        await SoonAsync(async () =>
            (await outputs.QueryAsync("all_values", null, null, 1_000, null)).Items.Count == 100);
    }

    [Test]
    public async Task Windows_over_all_partitions_close_by_idle_marks_and_outlive_a_restart()
    {
        var config = await ApplyAsync("fleet",
            "SELECT COUNT(*) AS n INTO fleet FROM telemetry GROUP BY TumblingWindow(second, 1)");
        for (var i = 0; i < 40; i++) await _hub.AppendAsync(i % 4, Now, $"d{i % 4}", "{}");
        await _hub.RestartAsync();
        for (var i = 0; i < 40; i++) await _hub.AppendAsync(i % 3, Now, $"d{i % 3}", "{}");

        await SoonAsync(async () => Total(await _hub.RowsAsync("fleet")) == 80);
        Assert.That(await _hub.RowsAsync("fleet"),
            Is.EqualTo(await _hub.UndisturbedAsync(config, "fleet", complete: true)));
    }

    [Test]
    public async Task A_row_that_fails_goes_to_dead_letters_and_the_query_goes_on()
    {
        await ApplyAsync("cast", "SELECT CAST(v AS bigint) AS n INTO numbers FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":"1"}""");
        await _hub.AppendAsync(0, Now, "d", """{"v":"none"}""");
        await _hub.AppendAsync(0, Now, "d", "no json");
        await _hub.AppendAsync(0, Now, "d", """{"v":"2"}""");

        await SoonAsync(async () => (await _hub.RowsAsync("numbers")).Count == 2);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 2);
        var stages = (await letters.ListAsync(new DeadLetterFilter(Query: "cast"))).Items.Select(l => l.Letter.Stage);
        Assert.That(stages, Is.All.EqualTo(DeadLetterStages.Query));
    }

    [Test]
    public async Task A_query_that_was_mended_takes_the_dead_letters_of_the_version_before()
    {
        await ApplyAsync("cast", "SELECT CAST(v AS bigint) AS n INTO numbers FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":"seven"}""");
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 1);
        var id = (await letters.ListAsync(new DeadLetterFilter())).Items[0].Id;
        await letters.SetStateAsync(id, DeadLetterState.Replaying);
        await SoonAsync(async () => (await letters.FindAsync(id))!.State == DeadLetterState.Open);

        var store = _hub.Get<IQueryStore>();
        var mended = (await store.FindAsync("cast"))! with
        {
            Version = 2,
            Options = new QueryOptions { StartFrom = "now" },
            Text = "SELECT v AS n INTO numbers FROM telemetry",
        };
        Assert.That(await store.SaveAsync(mended, 1), Is.True);
        await SoonAsync(async () => (await store.StatusAsync("cast"))?.Version == 2);
        await letters.SetStateAsync(id, DeadLetterState.Replaying);

        await SoonAsync(async () => (await letters.FindAsync(id))!.State == DeadLetterState.Replayed);
        Assert.That((await _hub.RowsAsync("numbers")).Single().Value, Is.EqualTo("""{"n":"seven"}"""));
    }

    [Test]
    public async Task A_query_that_stops_on_errors_fails_alone()
    {
        await ApplyAsync("strict", "SELECT CAST(v AS bigint) AS n INTO strict FROM telemetry", RowErrorPolicy.Stop);
        await ApplyAsync("calm", "SELECT v INTO calm FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":"none"}""");
        await _hub.AppendAsync(0, Now, "d", """{"v":"2"}""");

        var store = _hub.Get<IQueryStore>();
        await SoonAsync(async () => (await store.FindAsync("strict"))!.State == QueryState.Failed);
        await SoonAsync(async () => (await _hub.RowsAsync("calm")).Count == 2);
        Assert.That((await store.StatusAsync("strict"))!.Error, Does.Contain("SP-0006"));
    }

    [Test]
    public async Task A_query_that_retention_passed_by_fails_and_says_how_much_it_missed()
    {
        await ApplyAsync("slow", "SELECT v INTO slow FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":1}""");
        await SoonAsync(async () => (await _hub.RowsAsync("slow")).Count == 1);
        var store = _hub.Get<IQueryStore>();
        await store.SetStateAsync("slow", QueryState.Paused);
        await _hub.RestartAsync();
        store = _hub.Get<IQueryStore>();
        Assert.That((await _hub.Log.CommittedAsync(
            ConsumerGroups.OfQuery("slow"), new TopicPartition(Topics.Telemetry, 0)))?.NextOffset, Is.EqualTo(1));
        for (var i = 0; i < 7; i++) await _hub.AppendAsync(0, Now, "d", """{"v":2}""");
        var warm = _hub.Get<ITelemetryStore>();
        await SoonAsync(async () => await warm.CountAsync() == 8);
        Assert.That(await _hub.Log.TrimAsync(new TopicPartition(Topics.Telemetry, 0), 8), Is.EqualTo(8));

        await store.SetStateAsync("slow", QueryState.Running);
        await NoticeAsync("slow");
        await SoonAsync(async () => (await store.FindAsync("slow"))!.State == QueryState.Failed);
        Assert.That((await store.StatusAsync("slow"))!.Error, Does.Contain("LOG-0004").And.Contain("7 records"));
    }

    [Test]
    public async Task A_query_holds_its_outputs_from_its_checkpoint_on_until_it_is_deleted()
    {
        await ApplyAsync("values", "SELECT v INTO vals FROM telemetry");
        for (var i = 0; i < 5; i++) await _hub.AppendAsync(0, Now, "d", """{"v":1}""");
        await SoonAsync(async () => (await _hub.RowsAsync("vals")).Count == 5);
        var output = new TopicPartition(Topics.Output("vals"), 0);
        var end = (await _hub.Log.RangeAsync(output)).Next;
        var held = ConsumerGroups.OfCheckpoint("values");
        await SoonAsync(async () => (await _hub.Log.CommittedAsync(held, output))?.NextOffset == end);

        await _hub.Get<IQueryStore>().DeleteAsync("values", 1);
        await NoticeAsync("values");
        await SoonAsync(async () => !(await _hub.Log.GroupsAsync()).Any(group => group.EndsWith(".values")));
        Assert.That(await _hub.Log.CommittedAsync(held, output), Is.Null);
    }

    [Test]
    public async Task A_new_version_lets_go_of_what_only_the_one_before_read_and_wrote()
    {
        await ApplyAsync("values", "SELECT v, COUNT(*) AS n INTO vals FROM telemetry GROUP BY v, "
            + "TumblingWindow(hour, 1)\nSELECT v INTO gone FROM alerts");
        for (var i = 0; i < 5; i++) await _hub.AppendAsync(0, Now, "d", $$"""{"v":{{i}}}""");
        await SoonAsync(async () => (await HeldAsync()).IsSupersetOf(
        [
            new(ConsumerGroups.OfQuery("values"), Topics.Telemetry),
            new(ConsumerGroups.OfQuery("values"), Topics.Alerts),
            new(ConsumerGroups.OfCheckpoint("values"), Topics.Output("gone")),
            new(ConsumerGroups.OfRepartition("values"), Topics.Repartition("values")),
            new(ConsumerGroups.OfDealer("values", 0), Topics.Repartition("values")),
        ]));

        await ApplyAsync("values", "SELECT v INTO vals FROM telemetry", version: 2);
        await _hub.AppendAsync(0, Now, "d", """{"v":1}""");
        await SoonAsync(async () => (await HeldAsync()).SetEquals(
        [
            new(ConsumerGroups.OfQuery("values"), Topics.Telemetry),
            new(ConsumerGroups.OfCheckpoint("values"), Topics.Output("vals")),
        ]));

        // As an owner of the version before does in a process that has not seen the new one yet.
        var alerts = new TopicPartition(Topics.Alerts, 0);
        await _hub.Log.CommitAsync(ConsumerGroups.OfQuery("values"), alerts, 0);
        await SoonAsync(async () =>
            await _hub.Log.CommittedAsync(ConsumerGroups.OfQuery("values"), alerts) is null);

        async Task<HashSet<GroupTopic>> HeldAsync() =>
            [.. (await _hub.Log.GroupTopicsAsync()).Where(held => ConsumerGroups.QueryOf(held.Group) == "values")];
    }

    [Test]
    public async Task A_paused_query_goes_on_where_it_stopped()
    {
        await ApplyAsync("values", "SELECT v INTO vals FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":1}""");
        await SoonAsync(async () => (await _hub.RowsAsync("vals")).Count == 1);
        await _hub.Get<IQueryStore>().SetStateAsync("values", QueryState.Paused);
        await NoticeAsync("values");
        await _hub.AppendAsync(0, Now, "d", """{"v":2}""");
        await _hub.Get<IQueryStore>().SetStateAsync("values", QueryState.Running);
        await NoticeAsync("values");

        await SoonAsync(async () => (await _hub.RowsAsync("vals")).Count == 2);
    }

    [Test]
    public async Task A_query_reads_lifecycle_configured_names_and_outputs_of_others_in_any_case()
    {
        await ApplyAsync("z-first", "SELECT v INTO Doubled FROM [IoTHub-Input] WHERE v > 1");
        await SoonAsync(() => ValueTask.FromResult(_hub.Log.FindTopic("out.Doubled") is not null));
        await ApplyAsync("a-second", "SELECT v * 2 AS w INTO twice FROM doubled");
        await ApplyAsync("life", "SELECT deviceId, IoTHub.ConnectionDeviceId AS key INTO life FROM Lifecycle");
        await ApplyAsync("notices", "SELECT * INTO none FROM notices");
        for (var v = 1; v <= 3; v++) await _hub.AppendAsync(v, Now, "d", $$"""{"v":{{v}}}""");
        await ConnectAsync("d");

        await SoonAsync(async () => (await _hub.RowsAsync("twice")).Count == 2);
        await SoonAsync(async () => (await _hub.RowsAsync("life")).Count == 1);
        Assert.That((await _hub.RowsAsync("life")).Values.Single(), Is.EqualTo("""{"deviceId":"d","key":"d"}"""));
        var store = _hub.Get<IQueryStore>();
        await SoonAsync(async () => (await store.FindAsync("notices"))!.State == QueryState.Failed);
        Assert.That((await store.StatusAsync("notices"))!.Error, Does.Contain("SP-0005"));
    }

    [Test]
    public async Task Lag_counts_what_was_not_read_of_every_input_and_is_nothing_at_the_end()
    {
        await ApplyAsync("values", "SELECT v INTO vals FROM telemetry");

        // The API makes the outputs of what is applied; who reads one may begin before who writes it.
        await _hub.Log.EnsureTopicAsync(new TopicSpec(Topics.Output("vals"), ProcessorFixture.Partitions));
        await ApplyAsync("next", "SELECT v INTO next FROM vals");
        for (var i = 0; i < 50; i++) await _hub.AppendAsync(i % 4, Now, "d", """{"v":1}""");

        var store = _hub.Get<IQueryStore>();
        await SoonAsync(async () => await store.StatusAsync("next") is { RowsOut: 50, LagRecords: 0 });
        await SoonAsync(async () => await store.StatusAsync("values") is { RowsOut: 50, LagRecords: 0, RowsIn: 50 });
    }

    [Test]
    public async Task A_version_that_begins_at_the_last_goes_on_where_the_one_before_stands()
    {
        await ApplyAsync("values", "SELECT v INTO vals FROM telemetry");
        await _hub.AppendAsync(0, Now, "d", """{"v":1}""");
        await SoonAsync(async () => (await _hub.RowsAsync("vals")).Count == 1);
        var store = _hub.Get<IQueryStore>();
        await store.SetStateAsync("values", QueryState.Paused);
        await _hub.RestartAsync();
        store = _hub.Get<IQueryStore>();
        Assert.That((await _hub.Log.CommittedAsync(
            ConsumerGroups.OfQuery("values"), new TopicPartition(Topics.Telemetry, 0)))?.NextOffset, Is.EqualTo(1));
        for (var v = 2; v <= 9; v++) await _hub.AppendAsync(v % 4, Now, "d", $$"""{"v":{{v}}}""");
        var second = (await store.FindAsync("values"))! with
        {
            Version = 2,
            State = QueryState.Running,
            Text = "SELECT v + 100 AS v INTO vals FROM telemetry",
            Options = new QueryOptions { StartFrom = "last" },
        };
        Assert.That(await store.SaveAsync(second, 1), Is.True);
        await NoticeAsync("values");

        await SoonAsync(async () => (await _hub.RowsAsync("vals")).Count == 9);
        Assert.That((await _hub.RowsAsync("vals")).Values.Count(row => row.Contains("10")), Is.EqualTo(8));
    }

    [Test]
    public async Task Lifecycle_events_become_device_states()
    {
        await ConnectAsync("d");

        var states = _hub.Get<IDeviceStateStore>();
        await SoonAsync(async () => (await states.FindAsync("d"))?.Connected == true);
    }

    private static Task SoonAsync(
        Func<ValueTask<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what);

    private async Task ConnectAsync(string device)
    {
        var connected = new LifecycleEvent(
            LifecycleKind.Connected, device, DateTimeOffset.UnixEpoch, ConnectionId: "1");
        using var records = new RecordBatchBuilder();
        records.Begin(Now, Encoding.UTF8.GetBytes(device));
        records.End(JsonSerializer.SerializeToUtf8Bytes(connected, ContractJson.Default.LifecycleEvent));
        await _hub.Log.AppendAsync(new TopicPartition(Topics.Lifecycle, 0), records);
    }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static long Total(SortedDictionary<string, string> rows) =>
        rows.Values.Sum(json => JsonDocument.Parse(json).RootElement.GetProperty("n").GetInt64());

    private async Task<QueryConfig> ApplyAsync(
        string name, string text, RowErrorPolicy onError = RowErrorPolicy.Drop, int version = 1)
    {
        var config = new QueryConfig
        {
            Name = name,
            Version = version,
            Text = text,
            Options = new QueryOptions { StartFrom = "earliest", OnError = onError },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        await _hub.Get<IQueryStore>().SaveAsync(config, version - 1);
        await NoticeAsync(name);
        return config;
    }

    private async Task NoticeAsync(string query)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(Now, Encoding.UTF8.GetBytes(query));
        records.End(JsonSerializer.SerializeToUtf8Bytes(
            new ControlNotice(ControlKinds.Query, query), ContractJson.Default.ControlNotice));
        await _hub.Log.AppendAsync(new TopicPartition(Topics.Control, 0), records);
    }
}
