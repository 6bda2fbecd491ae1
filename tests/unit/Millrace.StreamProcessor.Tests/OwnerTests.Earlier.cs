using Millrace.Primitives;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A version takes over from the one before while rows are on their way between the two stages.</summary>
public partial class OwnerTests
{
    [TestCase("", 31)]
    [TestCase("", 32)]
    [TestCase("", 33)]
    [TestCase("", 34)]
    [TestCase(BySevenths, 36)]
    [TestCase(BySevenths, 37)]
    public async Task A_version_goes_on_with_what_both_stages_of_the_one_before_keep(string beside, int seed)
    {
        var random = new Random(seed);
        var first = await QueryAsync(Counts("first") + beside);
        await FillAsync(random, 200);
        var before = await PlacesAsync(first);
        foreach (var place in before) await RunAsync(place, random, 100);
        foreach (var place in before) await SavedAsync(place);
        await FillAsync(random, 400);
        var marks = new List<LateMark>();
        for (var life = 0; life < 60; life++)
            await DiesAsync(before[random.Next(before.Count)], random, random.Next(20), marks);
        Assert.That(marks, Is.Not.Empty);
        await using var stale = await TakeOverAsync(before[random.Next(ProcessorFixture.Partitions)]);

        var second = await AppliedAsync(first, Counts("second") + beside);
        var places = await PlacesAsync(second);
        for (var life = 0; life < 100; life++)
        {
            if (life == 30) await FillAsync(random, 300);
            if (life == 50) await GoesOnInVainAsync(stale);
            await DiesAsync(places[random.Next(places.Count)], random, random.Next(30));
        }

        // A week later all windows are over.
        var end = DateTimeOffset.UnixEpoch.AddDays(20_020).ToUnixTimeMilliseconds();
        for (var p = 0; p < ProcessorFixture.Partitions; p++) await _hub.AppendAsync(p, end, "d", """{"v":-1}""");
        foreach (var place in places) await DiesAsync(place, random, int.MaxValue);

        var expected = await _hub.UndisturbedAsync(second, "sums", complete: false, marks);
        Assert.That(expected, Has.Count.GreaterThan(50));
        var found = await _hub.RowsAsync("sums");
        foreach (var (id, row) in expected)
            Assert.That(found.GetValueOrDefault(id), Is.EqualTo(row), $"seed {seed}: {id}");
        Assert.That(found, Has.Count.EqualTo(expected.Count), $"seed {seed}");
    }

    [Test]
    public async Task A_version_whose_predecessor_was_not_answered_everywhere_does_not_begin_there()
    {
        var first = await QueryAsync(Counts("first"));
        await FillAsync(new Random(35), 50);
        var before = await PlacesAsync(first);
        await SavedAsync(before[0]);

        var places = await PlacesAsync(await AppliedAsync(first, Counts("second")));
        await using var there = await TakeOverAsync(places[0]);
        var error = Assert.ThrowsAsync<MillraceException>(async () => await TakeOverAsync(places[1]));
        Assert.That(error!.Error.ToString(), Does.StartWith("SP-0009").And.Contain("Version 1"));
    }

    /// <summary>Whoever asks first fixes the start, and need not be the one who answers.</summary>
    [Test]
    public async Task A_version_answers_nothing_that_the_one_before_has_answered_since_its_start_was_fixed()
    {
        var first = await QueryAsync("SELECT v INTO sums FROM telemetry");
        await FillAsync(new Random(38), 100);
        var place = (await PlacesAsync(first))[0];
        await using var before = await TakeOverAsync(place);
        await before.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);
        await before.SaveAsync(default);
        var applied = await AppliedAsync(first, "SELECT v + 1 AS v INTO sums FROM telemetry", "last");
        var second = (await PlacesAsync(applied))[0];
        await FillAsync(new Random(39), 100);
        await GoesOnAsync(before);
        await before.SaveAsync(default);

        await using var after = await TakeOverAsync(second);
        Assert.That(after.Positions, Is.EqualTo(before.Positions));
        Assert.That(second.Starts, Is.Not.EqualTo(before.Positions));
        await FillAsync(new Random(40), 100);
        await GoesOnInVainAsync(before);
        await using var again = await TakeOverAsync(second);
        Assert.That(again.Positions, Is.EqualTo(after.Positions));
    }

    private const string BySevenths =
        "; SELECT v % 7 AS m, SUM(v) AS s INTO sums FROM telemetry WHERE v <> 3 GROUP BY v % 7, TumblingWindow(day, 7)";

    private static string Counts(string label) =>
        $"SELECT v, COUNT(*) AS n, '{label}' AS label INTO sums FROM telemetry GROUP BY v, TumblingWindow(day, 7)";

    private async Task<QueryConfig> AppliedAsync(QueryConfig before, string text, string from = "state")
    {
        var config = before with
        {
            Version = before.Version + 1,
            Text = text,
            Options = before.Options with { StartFrom = from },
        };
        Assert.That(await _hub.Get<IQueryStore>().SaveAsync(config, before.Version), Is.True);
        return config;
    }

    private async Task SavedAsync(QueryPlace place)
    {
        await using var owner = await TakeOverAsync(place);
        foreach (var (partition, offset) in owner.Positions)
        {
            await using var reader = _hub.Log.OpenReader(partition, offset);
            while (owner.IsCatchingUp && await reader.TryReadAsync() is { } batch)
                await owner.ProcessAsync(batch, default);
        }

        await owner.SaveAsync(default);
    }

    /// <summary>It does not know that it was followed: what it sends counts for nobody, and it cannot save.</summary>
    private async Task GoesOnInVainAsync(QueryOwner stale)
    {
        await GoesOnAsync(stale);
        var refused = Assert.ThrowsAsync<MillraceException>(async () => await stale.SaveAsync(default));
        Assert.That(refused!.Error.Code, Is.EqualTo("SP-0007"));
    }

    private async Task GoesOnAsync(QueryOwner owner)
    {
        foreach (var (partition, offset) in owner.Positions)
        {
            await using var reader = _hub.Log.OpenReader(partition, offset);
            while (await reader.TryReadAsync() is { } batch) await owner.ProcessAsync(batch, default);
        }
    }
}
