using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Take-over of a query's place: whoever was before, whatever it wrote, each row counts once.</summary>
public class OwnerTests
{
    private const string Windows = """
        SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(v) AS total INTO sums
        FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 10);
        SELECT IoTHub.ConnectionDeviceId AS deviceId, v INTO alerts FROM telemetry WHERE v > 80
        """;

    private const string Fleet =
        "SELECT COUNT(*) AS n, AVG(v) AS mean INTO fleet FROM telemetry GROUP BY HoppingWindow(second, 10, 5)";

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartTopicsAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [TestCase(Windows, "sums", 1)]
    [TestCase(Windows, "alerts", 2)]
    [TestCase(Fleet, "fleet", 3)]
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

    [Test]
    public async Task What_a_stale_owner_writes_does_not_count_and_it_cannot_save()
    {
        var config = await QueryAsync(Windows);
        await FillAsync(new Random(5), 400);
        var place = (await PlacesAsync(config))[0];
        using var older = await TakeOverAsync(place);
        using var newer = await TakeOverAsync(place);
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

    /// <summary>Takes the place over, answers so many batches, saves now and then, and goes without a word.</summary>
    private async Task RunAsync(QueryPlace place, Random random, int records)
    {
        using var owner = await TakeOverAsync(place);
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
            if (random.Next(3) == 0) await owner.SaveAsync(default);
        }
    }

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
