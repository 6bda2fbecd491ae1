using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.Stores.Upgrades;
using Millrace.StreamProcessor.Queries;

namespace Millrace.StreamProcessor.Tests;

/// <summary>In how many stages a version is answered is decided at its start, and stays.</summary>
public class QueryPlacesTests
{
    private const string ByOne = "SELECT v, COUNT(*) AS n INTO sums FROM telemetry GROUP BY v, TumblingWindow(day, 7)";

    private const string BySeveral =
        ByOne + "; SELECT w, SUM(v) AS s INTO sums FROM telemetry GROUP BY w, TumblingWindow(day, 7)";

    private const int Two = 2 * ProcessorFixture.Partitions;

    private readonly FinishableUpgrade _upgrade = new();
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _upgrade.IsFinalised = false;
        _hub = new ProcessorFixture(more: services => services.AddSingleton<IUpgradeStore>(_upgrade));
        await _hub.StartTopicsAsync();
    }

    [TearDown]
    public async Task CloseAsync() => await _hub.DisposeAsync();

    /// <summary>Also by a single one that older programs do not find.</summary>
    [TestCase(BySeveral)]
    [TestCase("SELECT LAG(v) OVER (PARTITION BY v % 3 LIMIT DURATION(day, 7)) AS l INTO sums FROM telemetry")]
    public async Task Rows_are_sent_by_several_keys_once_no_older_program_can_be_there(string text)
    {
        Assert.That(await PlacesAsync(1, text, "earliest"), Has.Count.EqualTo(1));

        _upgrade.IsFinalised = true;
        Assert.That(await PlacesAsync(1, text, "earliest"), Has.Count.EqualTo(1), "as it began");
        Assert.That(await PlacesAsync(2, text, "last"), Has.Count.EqualTo(Two), "applied again");

        _upgrade.IsFinalised = false;
        Assert.That(await PlacesAsync(2, text, "last"), Has.Count.EqualTo(Two), "as it began");
    }

    [Test]
    public async Task By_one_key_older_programs_send_them_too() =>
        Assert.That(await PlacesAsync(1, ByOne, "earliest"), Has.Count.EqualTo(Two));

    [TestCase(false, 1)]
    [TestCase(true, Two)]
    public async Task One_that_takes_the_state_of_another_has_as_many_stages(bool wasFinalised, int expected)
    {
        _upgrade.IsFinalised = wasFinalised;
        foreach (var place in await PlacesAsync(1, BySeveral, "earliest")) await AnsweredAsync(place);
        await _hub.AppendAsync(0, 1_000, "d", """{"v":5,"w":1}""");
        foreach (var place in await PlacesAsync(1, BySeveral, "earliest")) await AnsweredAsync(place);

        _upgrade.IsFinalised = !wasFinalised;
        var places = await PlacesAsync(2, BySeveral, "state");
        Assert.That(places, Has.Count.EqualTo(expected));
        await _hub.AppendAsync(1, 2_000, "d", """{"v":5,"w":2}""");
        for (var p = 0; p < ProcessorFixture.Partitions; p++)
            await _hub.AppendAsync(p, 20 * 86_400_000L, "d", """{"v":-1}""");
        foreach (var place in places) await AnsweredAsync(place);

        Assert.That((await _hub.RowsAsync("sums")).Values,
            Is.EquivalentTo(new[] { """{"v":5,"n":2}""", """{"w":1,"s":5}""", """{"w":2,"s":5}""" }));
    }

    [TestCase("SELECT v, COUNT(*) AS n INTO sums FROM telemetry TIMESTAMP BY at OVER v GROUP BY v, " +
        "TumblingWindow(day, 7)", true)]
    [TestCase(ByOne, false)]
    public async Task Substreams_have_timelines_in_two_stages_once_no_older_program_can_be_there(string text, bool can)
    {
        Assert.That(await TimelinesAsync(1, "earliest"), Is.All.False);
        _upgrade.IsFinalised = true;
        Assert.That(await TimelinesAsync(1, "earliest"), Is.All.False, "as it began");
        Assert.That(await TimelinesAsync(2, "state"), Is.All.False, "as the state has it that it takes");
        Assert.That(await TimelinesAsync(3, "last"), Is.All.EqualTo(can), "applied again");
        _upgrade.IsFinalised = false;
        Assert.That(await TimelinesAsync(3, "last"), Is.All.EqualTo(can), "as it began");
        Assert.That(await TimelinesAsync(4, "state"), Is.All.EqualTo(can), "as the state has it that it takes");

        async Task<List<bool>> TimelinesAsync(int version, string from) =>
            [.. (await PlacesAsync(version, text, from)).Select(place => place.HasTimelinesByKey)];
    }

    [Test]
    public async Task A_row_that_fails_on_several_routes_counts_once_and_is_one_letter()
    {
        const string Text = "SELECT v, SUM(1 / z) AS s INTO sums FROM telemetry GROUP BY v, TumblingWindow(day, 7); " +
            "SELECT w, SUM(2 / z) AS s INTO sums FROM telemetry GROUP BY w, TumblingWindow(day, 7)";
        _upgrade.IsFinalised = true;
        using var failed = new CounterReader("millrace.query.rows.failed");
        for (var i = 0; i < 8; i++)
            await _hub.AppendAsync(0, 1_000 + i, "d", $$"""{"v":{{i}},"w":{{i * 7}},"z":{{i % 2}}}""");
        for (var p = 0; p < ProcessorFixture.Partitions; p++)
            await _hub.AppendAsync(p, 20 * 86_400_000L, "d", """{"v":-1,"w":-1,"z":1}""");
        foreach (var place in await PlacesAsync(1, Text, "earliest")) await AnsweredAsync(place);

        Assert.That(failed.Total, Is.EqualTo(4));
        Assert.That((await _hub.Log.RangeAsync(new TopicPartition(Topics.DeadLetter, 0))).Next, Is.EqualTo(4));
        Assert.That(await _hub.RowsAsync("sums"), Has.Count.EqualTo(8), "the four others, by each key");
    }

    /// <summary>Nobody knows whether what may take too long fails at the other place, too.</summary>
    [Test]
    public async Task A_row_of_which_each_route_writes_the_letter_counts_once_also_after_a_restart()
    {
        const string Text = "WITH s AS (SELECT v, w, REGEXMATCH(z, '1') / z AS f FROM telemetry) " +
            "SELECT v, SUM(f) AS s INTO sums FROM s GROUP BY v, TumblingWindow(day, 7); " +
            "SELECT w, SUM(f) AS s INTO sums FROM s GROUP BY w, TumblingWindow(day, 7)";
        _upgrade.IsFinalised = true;
        using var answers = new CounterReader("millrace.query.rows.failed", ("step", "answer"));
        using var again = new CounterReader("millrace.query.rows.failed", ("step", "again"));
        using var letters = new CounterReader("millrace.stream.dead.letters");
        for (var i = 0; i < 8; i++)
            await _hub.AppendAsync(0, 1_000 + i, "d", $$"""{"v":{{i}},"w":{{i * 7}},"z":{{i % 2}}}""");
        for (var p = 0; p < ProcessorFixture.Partitions; p++)
            await _hub.AppendAsync(p, 20 * 86_400_000L, "d", """{"v":-1,"w":-1,"z":1}""");
        var places = await PlacesAsync(1, Text, "earliest");
        var progress = new QueryProgress(places[0].Config, TimeProvider.System);
        foreach (var place in places) await AnsweredAsync(place, progress);
        foreach (var place in places) await AnsweredAsync(place, progress);

        Assert.That((answers.Total, again.Total, letters.Total), Is.EqualTo((4, 4, 4)));
        Assert.That(progress.Status(QueryState.Running, null, 0).RowsFailed, Is.EqualTo(4));
        var ids = await LetterIdsAsync();
        Assert.That((ids.Count, ids.Distinct().Count()), Is.EqualTo((8, 4)));
        Assert.That(await _hub.RowsAsync("sums"), Has.Count.EqualTo(8), "the four others, by each key");
    }

    private async Task<List<string>> LetterIdsAsync()
    {
        var ids = new List<string>();
        var topic = new TopicPartition(Topics.DeadLetter, 0);
        await using var reader = _hub.Log.OpenReader(topic, 0);
        while (reader.Position < (await _hub.Log.RangeAsync(topic)).Next)
        {
            foreach (var record in await reader.ReadAsync())
                ids.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!.Id);
        }

        return ids;
    }

    [Test]
    public async Task State_that_was_kept_by_partition_is_not_taken_for_none()
    {
        _upgrade.IsFinalised = true;
        var byDevice = ByOne.Replace(" v,", " IoTHub.ConnectionDeviceId,");
        foreach (var place in await PlacesAsync(1, byDevice, "earliest")) await AnsweredAsync(place);

        var places = await PlacesAsync(2, BySeveral, "state");
        Assert.That(async () => await AnsweredAsync(places[0]), Throws.Exception.Message.Contains("SP-0009"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nor_is_state_that_was_kept_in_one_place_or_is_to_be(bool wasOnePlace)
    {
        const string OfAll = "SELECT COUNT(*) AS n INTO sums FROM telemetry GROUP BY TumblingWindow(day, 7)";
        var byDevice = ByOne.Replace(" v,", " IoTHub.ConnectionDeviceId,");
        var (before, after) = wasOnePlace ? (OfAll, byDevice) : (byDevice, OfAll);
        await AnsweredAsync((await PlacesAsync(1, before, "earliest"))[^1]);

        foreach (var place in await PlacesAsync(2, after, "state"))
        {
            Assert.That(async () => await AnsweredAsync(place),
                Throws.Exception.Message.Contains("SP-0009").And.Message.Contains("Version 1"));
        }
    }

    /// <summary>Of two that are applied at once, by processes of which one is slow.</summary>
    [TestCase("last")]
    [TestCase("state")]
    public async Task A_version_that_a_later_one_overtook_is_answered_nowhere(string from)
    {
        await PlacesAsync(1, ByOne, "earliest");
        Assert.That(await PlacesAsync(3, ByOne, from), Is.Not.Empty);
        Assert.That(await PlacesAsync(2, ByOne, from), Is.Empty);
    }

    /// <summary>All that is there, with a checkpoint behind it.</summary>
    private async Task AnsweredAsync(QueryPlace place, QueryProgress? progress = null)
    {
        progress ??= new QueryProgress(place.Config, TimeProvider.System);
        await using var owner = await QueryOwner.TakeOverAsync(_hub.Get<QueryServices>(), place, progress, default);
        foreach (var (partition, position) in owner.Positions)
        {
            await using var reader = _hub.Log.OpenReader(partition, position);
            while (await reader.TryReadAsync() is { } batch) await owner.ProcessAsync(batch, default);
        }

        await owner.SaveAsync(default);
    }

    private Task<IReadOnlyList<QueryPlace>> PlacesAsync(int version, string text, string from) =>
        _hub.Get<QueryPlaces>().ResolveAsync(new QueryConfig
        {
            Name = "q",
            Version = version,
            Text = text,
            Options = new QueryOptions { StartFrom = from },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, SaqlCompiler.Compile(text).Plan!, default);
}
