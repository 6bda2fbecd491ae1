using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Take-over of a query's place: whoever was before, whatever it wrote, each row counts once.</summary>
public partial class OwnerTests
{
    private const string Windows = """
        SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(v) AS total INTO sums
        FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 10);
        SELECT IoTHub.ConnectionDeviceId AS deviceId, v INTO alerts FROM telemetry WHERE v > 80
        """;

    private const string Fleet =
        "SELECT COUNT(*) AS n, AVG(v) AS mean INTO fleet FROM telemetry GROUP BY HoppingWindow(second, 10, 5)";

    private const string Pairs =
        "SELECT a.v AS x, b.v AS y INTO pairs FROM telemetry a LEFT JOIN telemetry b ON " +
        "a.IoTHub.ConnectionDeviceId = b.IoTHub.ConnectionDeviceId AND DATEDIFF(second, a, b) BETWEEN 1 AND 3 " +
        "AND b.v > 50";

    private const string Back =
        "SELECT v, LAG(v) OVER (LIMIT DURATION(second, 5)) AS l, SUM(v) OVER (PARTITION BY IoTHub.ConnectionDeviceId " +
        "LIMIT DURATION(second, 9)) AS s INTO back FROM telemetry";

    private const string Slides =
        "SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n INTO slides FROM telemetry " +
        "GROUP BY IoTHub.ConnectionDeviceId, SlidingWindow(second, 4)";

    private const string Values =
        "SELECT v, COUNT(*) AS n INTO sums FROM telemetry WHERE v <> 20 GROUP BY v, TumblingWindow(second, 4)";

    private const string Looks =
        "SELECT v, LAG(System.Timestamp()) OVER (PARTITION BY v LIMIT DURATION(second, 9)) AS l INTO back " +
        "FROM telemetry";

    /// <summary>By keys that go across one another, and a row that meets none.</summary>
    private const string Crossed = Values + "; SELECT v % 7 AS m, MAX(v) AS most INTO sums FROM telemetry GROUP BY " +
        "v % 7, SlidingWindow(second, 2); SELECT v AS top INTO sums FROM telemetry WHERE v > 97";

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartTopicsAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [TestCase(Windows, "sums", 1)]
    [TestCase(Windows, "alerts", 2)]
    [TestCase(Fleet, "fleet", 3)]
    [TestCase(Pairs, "pairs", 4)]
    [TestCase(Back, "back", 5)]
    [TestCase(Slides, "slides", 6)]
    [TestCase(Values, "sums", 7)]
    [TestCase(Looks, "back", 8)]
    [TestCase(Crossed, "sums", 9)]
    public async Task Owners_that_crash_at_any_point_leave_each_row_once(string text, string output, int seed)
    {
        var random = new Random(seed);
        var config = await QueryAsync(text);
        await FillAsync(random, 2_000);
        var places = await PlacesAsync(config);
        foreach (var place in places)
        {
            for (var crash = 0; crash < 6; crash++) await RunAsync(place, random,
                crash == 5 ? int.MaxValue : random.Next(400));
        }

        var expected = await _hub.UndisturbedAsync(config, output, complete: false);
        Assert.That(expected, Is.Not.Empty);
        Assert.That(await _hub.RowsAsync(output), Is.EqualTo(expected), $"seed {seed}");
    }

    /// <summary>
    /// Letters come as late input at any position, the owner goes before or after their rows, and each may be asked for
    /// again: the rows are those of an engine that has each once, where it was first taken.
    /// </summary>
    [TestCase(Windows, "sums", 11)]
    [TestCase(Windows, "alerts", 12)]
    [TestCase(Fleet, "fleet", 13)]
    [TestCase(Fleet, "fleet", 14)]
    [TestCase(Values, "sums", 15)]
    [TestCase(Looks, "back", 16)]
    public async Task Letters_are_late_input_once_whoever_crashes(string text, string output, int seed)
    {
        var random = new Random(seed);
        var config = await QueryAsync(text);
        await FillAsync(random, 1_500);
        var marks = new List<LateMark>();
        foreach (var place in await PlacesAsync(config))
        {
            // Letters are of inputs, which the first stage reads.
            var taken = place.Stage == QueryStage.Target ? null : marks;
            for (var life = 0; life < 8; life++)
                await RunAsync(place, random, life == 7 ? int.MaxValue : random.Next(300), taken);
        }

        Assert.That(marks, Has.Count.GreaterThan(10));
        var expected = await _hub.UndisturbedAsync(config, output, complete: false, marks);
        var found = await _hub.RowsAsync(output);
        foreach (var (id, row) in expected)
            Assert.That(found.GetValueOrDefault(id), Is.EqualTo(row), $"seed {seed}: {id}");
        Assert.That(found, Has.Count.EqualTo(expected.Count), $"seed {seed}");
        Assert.That(expected, Is.Not.EqualTo(await _hub.UndisturbedAsync(config, output, complete: false)));
    }

    [Test]
    public async Task A_letter_that_fails_again_is_refused_and_may_be_tried_once_more()
    {
        var config = await QueryAsync(Windows);
        await FillAsync(new Random(8), 50);
        var place = (await PlacesAsync(config))[0];
        await using var owner = await TakeOverAsync(place);
        await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);
        var bad = Letter(place.Sources[0].Partition, 3, "no JSON");

        var first = await owner.TakeLateAsync(bad, default);
        var second = await owner.TakeLateAsync(bad with { Value = "[0,{\"v\":99}]"u8.ToArray() }, default);
        await owner.SaveAsync(default);

        Assert.That(first.Refusal?.ToString(), Does.Contain("SP-0008").And.Contain("SQ-"));
        Assert.That(second, Is.EqualTo(LateAnswer.Taken));
        Assert.That((await _hub.RowsAsync("alerts")).Values, Has.Some.Contains("\"v\":99"));
    }

    [Test]
    public async Task A_newer_version_takes_only_what_it_has_not_read_itself()
    {
        var config = await QueryAsync(Windows, from: "now");
        await FillAsync(new Random(9), 50);
        var newer = config with { Version = 2 };
        Assert.That(await _hub.Get<IQueryStore>().SaveAsync(newer, 1), Is.True);
        var place = (await PlacesAsync(newer))[1];
        var input = place.Sources[0];
        await FillAsync(new Random(10), 50);
        await using var owner = await TakeOverAsync(place);

        const string Body = "[0,{\"v\":99}]";
        var before = await owner.TakeLateAsync(Letter(input.Partition, input.StartOffset - 1, Body), default);
        var after = await owner.TakeLateAsync(Letter(input.Partition, input.StartOffset, Body), default);

        Assert.That(before, Is.EqualTo(LateAnswer.Taken));
        Assert.That(after.Refusal?.ToString(), Does.Contain("has read the record itself"));
    }

    [Test]
    public async Task What_a_stale_owner_writes_does_not_count_and_it_cannot_save()
    {
        var config = await QueryAsync(Windows);
        await FillAsync(new Random(5), 400);
        var place = (await PlacesAsync(config))[0];
        await using var older = await TakeOverAsync(place);
        await using var newer = await TakeOverAsync(place);
        var batch = await BatchAsync(place.Sources[0].Partition);

        await older.ProcessAsync(batch, default);
        await newer.ProcessAsync(batch, default);
        await newer.SaveAsync(default);

        var refused = Assert.ThrowsAsync<MillraceException>(async () => await older.SaveAsync(default));
        Assert.That(refused!.Error.Code, Is.EqualTo("SP-0007"));
        var rows = await _hub.RowsAsync("alerts");
        Assert.That(rows, Is.Not.Empty);
        Assert.That(rows.Keys, Has.All.Contain("/0/o"));
    }

    [Test]
    public async Task What_a_stale_owner_wrote_behind_the_newest_checkpoint_is_written_again()
    {
        var config = await QueryAsync(Windows);
        await FillAsync(new Random(15), 400);
        var place = (await PlacesAsync(config))[0];
        await using var older = await TakeOverAsync(place);
        await using var newer = await TakeOverAsync(place);
        await using var reader = _hub.Log.OpenReader(place.Sources[0].Partition, 0);
        var (first, second) = (await reader.ReadAsync(2_000), await reader.ReadAsync());
        await newer.ProcessAsync(first, default);
        await newer.SaveAsync(default);
        await older.ProcessAsync(first, default);
        await older.ProcessAsync(second, default);

        await using var next = await TakeOverAsync(place);
        Assert.That(next.IsCatchingUp, Is.False);
        await next.ProcessAsync(second, default);
        var made = await _hub.UndisturbedAsync(config, "alerts", complete: false);
        Assert.That((await _hub.RowsAsync("alerts")).Keys, Is.EquivalentTo(made.Keys.Where(id => id.Contains("/0/o"))));
    }

    [Test]
    public async Task A_start_is_fixed_by_the_first_owner()
    {
        var config = await QueryAsync(Windows, from: "now");
        await FillAsync(new Random(6), 50);
        var first = await PlacesAsync(config);
        await FillAsync(new Random(7), 50);
        var second = await PlacesAsync(config);

        Assert.That(second[1].Sources[0].StartOffset, Is.EqualTo(first[1].Sources[0].StartOffset));
        Assert.That(first.Sum(p => p.Sources[0].StartOffset), Is.EqualTo(50));
    }

    [Test]
    public async Task An_input_that_does_not_exist_is_told_by_its_code()
    {
        var config = await QueryAsync("SELECT * INTO o FROM nothing");
        var error = Assert.ThrowsAsync<MillraceException>(async () => await PlacesAsync(config));
        Assert.That(error!.Error.Code, Is.EqualTo("SP-0005"));
    }

    /// <summary>
    /// Takes the place over, answers so many batches, saves now and then, takes letters, and goes without a word.
    /// </summary>
    private async Task RunAsync(QueryPlace place, Random random, int records, List<LateMark>? marks = null)
    {
        await using var owner = await TakeOverAsync(place);
        var readers = owner.Positions.Select(p => _hub.Log.OpenReader(p.Partition, p.Offset)).ToList();
        while (records > 0 && readers.Count > 0)
        {
            var reader = readers[random.Next(readers.Count)];
            if (await reader.TryReadAsync(random.Next(200, 4_000)) is not { } batch)
            {
                readers.Remove(reader);
                continue;
            }

            await owner.ProcessAsync(batch, default);
            records -= batch.Count;
            if (marks is not null && random.Next(2) == 0) await TakeLateAsync(owner, place, random, marks);
            await MaySaveAsync(owner, random);
        }

        if (marks is not null && records <= 0) await CrashTakingAsync(owner, place, random, marks);
    }

    private static Task MaySaveAsync(QueryOwner owner, Random random) => random.Next(6) switch
    {
        0 => owner.SaveAsync(default),
        1 => owner.BeginSaveAsync(default),
        _ => Task.CompletedTask,
    };

    private async Task TakeLateAsync(QueryOwner owner, QueryPlace place, Random random, List<LateMark> marks)
    {
        var letter = AnyLetter(owner, place, random);
        var mark = MarkOf(owner, letter);
        var answer = await owner.TakeLateAsync(letter, default);
        Assert.That(answer.Refusal, Is.Null);
        if (answer.IsHere) Note(marks, mark);
    }

    /// <summary>The owner goes between the durable mark and the letter's rows.</summary>
    private async Task CrashTakingAsync(QueryOwner owner, QueryPlace place, Random random, List<LateMark> marks)
    {
        var mark = MarkOf(owner, AnyLetter(owner, place, random));
        if (owner.IsCatchingUp || marks.Any(known => known.Input == mark.Input && known.Offset > mark.Offset)) return;
        Note(marks, mark);
        await _hub.Get<ICheckpointStore>().AddLateAsync(
            place.Key, long.MaxValue, mark.Input, mark.Offset, mark.Letter!, default);
    }

    private static LateMark MarkOf(QueryOwner owner, DeadLetter letter)
    {
        var input = new TopicPartition(letter.Topic, letter.Partition);
        return new LateMark(input, owner.Positions.First(p => p.Partition == input).Offset, 0, letter);
    }

    private static void Note(List<LateMark> marks, LateMark mark)
    {
        if (!marks.Any(known => known.Letter!.Id == mark.Letter!.Id)) marks.Add(mark);
    }

    private static DeadLetter AnyLetter(QueryOwner owner, QueryPlace place, Random random)
    {
        var at = owner.Positions[random.Next(owner.Positions.Count)];
        var offset = random.NextInt64(Math.Max(1, at.Offset));
        return Letter(at.Partition, offset, $$"""[0,{"v":{{200 + offset}}}]""");
    }

    /// <summary>Of an element that no record has, so that its identity is its own.</summary>
    private static DeadLetter Letter(TopicPartition input, long offset, string body) => new(
        DeadLetterStages.Query, "q", 1, input.Topic, input.Partition, offset, 1, "SQ-0103", "It failed.",
        DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "late"u8.ToArray(), 0, [],
        System.Text.Encoding.UTF8.GetBytes(body));

    private Task<QueryOwner> TakeOverAsync(QueryPlace place) => QueryOwner.TakeOverAsync(
        _hub.Get<QueryServices>(), place, new QueryProgress(place.Config, TimeProvider.System), default);

    private async Task<RecordBatch> BatchAsync(TopicPartition partition)
    {
        await using var reader = _hub.Log.OpenReader(partition, 0);
        return await reader.ReadAsync();
    }

    private Task<IReadOnlyList<QueryPlace>> PlacesAsync(QueryConfig config) =>
        _hub.Get<QueryPlaces>().ResolveAsync(config, SaqlCompiler.Compile(config.Text).Plan!, default);

    private async Task<QueryConfig> QueryAsync(string text, string from = "earliest")
    {
        var config = new QueryConfig
        {
            Name = "q",
            Version = 1,
            Text = text,
            Options = new QueryOptions { StartFrom = from },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        await _hub.Get<IQueryStore>().SaveAsync(config, 0);
        return config;
    }

    private async Task FillAsync(Random random, int records)
    {
        var at = DateTimeOffset.UnixEpoch.AddDays(20_000).ToUnixTimeMilliseconds();
        for (var i = 0; i < records; i++)
        {
            at += random.Next(60);
            var device = random.Next(9);
            var body = $$"""{"v":{{random.Next(100)}}}""";
            await _hub.AppendAsync(device % ProcessorFixture.Partitions, at, $"d{device}", body);
        }
    }
}
