using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.Stores.Queries;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>
/// Two processes share the partitions of one log, which come and go between them: each row stands once in the outputs,
/// as if one had answered alone.
/// </summary>
public class RebalanceTests
{
    private const int Devices = 12;

    private static readonly (string Name, string Text)[] Queries =
    [
        ("each", "SELECT IoTHub.ConnectionDeviceId AS deviceId, v INTO each FROM telemetry WHERE v > 20"),
        ("sums", "SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(v) AS total INTO sums " +
            "FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 1)"),
        ("rooms", "SELECT room, COUNT(*) AS n INTO rooms FROM telemetry GROUP BY room, TumblingWindow(second, 1)"),
        ("fleet", "SELECT COUNT(*) AS n INTO fleet FROM telemetry GROUP BY TumblingWindow(second, 1)"),
    ];

    private TemporaryFolder _folder = null!;
    private LocalLog _log = null!;
    private SharedLog[] _views = null!;
    private ProcessorFixture[] _processors = null!;
    private int _sent;

    [SetUp]
    public async Task Open()
    {
        _folder = new TemporaryFolder();
        _log = LocalLog.Open(_folder.Sub("log"));
        _views = [new SharedLog(_log), new SharedLog(_log)];
        _processors = [.. _views.Select((view, i) => new ProcessorFixture(_folder.Path, view, $"node-{i}"))];
        foreach (var processor in _processors) await processor.StartAsync();
        _sent = 0;
    }

    [TearDown]
    public async Task Close()
    {
        foreach (var processor in _processors) await processor.DisposeAsync();
        await _log.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task Partitions_that_move_between_processes_take_their_state_along(int seed)
    {
        var random = new Random(seed);
        var queries = await ApplyAsync();
        int[] all = [0, 1, 2, 3], held = all;
        await _views[0].OwnAsync(all);
        for (var round = 0; round < 6; round++)
        {
            await SendAsync(random, 150);
            var first = all.Where(_ => random.Next(2) == 0).ToArray();
            var second = all.Except(first).ToArray();

            // Given back first, then taken: as a cooperative rebalance does it.
            var sending = SendAsync(new Random(seed + round), 100);
            await Task.WhenAll(_views[0].OwnAsync([.. held.Intersect(first)]),
                _views[1].OwnAsync([.. all.Except(held).Intersect(second)]));
            await Task.WhenAll(_views[0].OwnAsync(first), _views[1].OwnAsync(second));
            held = first;
            await sending;
        }

        await AllIsThereOnceAsync(queries);
    }

    [TestCase(3)]
    public async Task An_owner_that_does_not_know_that_it_lost_its_partitions_changes_nothing(int seed)
    {
        var random = new Random(seed);
        var queries = await ApplyAsync();
        await _views[0].OwnAsync(0, 1, 2, 3);
        for (var round = 0; round < 4; round++)
        {
            await SendAsync(random, 150);
            var (from, to) = (_views[round % 2], _views[(round + 1) % 2]);
            await to.OwnAsync(0, 1, 2, 3);
            await SendAsync(random, 150);
            await from.OwnAsync();
        }

        await AllIsThereOnceAsync(queries);
    }

    [Test]
    public async Task A_query_with_one_place_is_answered_by_whoever_has_the_first_partition()
    {
        await ApplyAsync();
        await _views[0].OwnAsync(1, 2, 3);
        await _views[1].OwnAsync(0);
        await SendAsync(new Random(4), 50);

        var epochs = 0L;
        await Eventually.TrueAsync(async () => (await _processors[0].RowsAsync("fleet")).Count > 0, "it is answered");
        await foreach (var epoch in EpochsAsync("fleet")) epochs = Math.Max(epochs, epoch);
        Assert.That(epochs, Is.EqualTo(1), "one owner");
    }

    private async IAsyncEnumerable<long> EpochsAsync(string output)
    {
        var partition = new TopicPartition(Topics.Output(output), 0);
        await using var reader = _log.OpenReader(partition, 0);
        while (await reader.TryReadAsync() is { } batch)
        {
            var seen = new List<long>();
            foreach (var record in batch)
            {
                if (record.TryGetHeader(OutputHeaders.Epoch, out var text))
                    seen.Add(long.Parse(System.Text.Encoding.UTF8.GetString(text)));
            }

            foreach (var epoch in seen) yield return epoch;
        }
    }

    private async Task AllIsThereOnceAsync(List<QueryConfig> queries)
    {
        var store = _processors[0].Get<ITelemetryStore>();
        await Eventually.TrueAsync(async () => await store.CountAsync() == _sent, "the warm store has all");
        foreach (var query in queries)
        {
            SortedDictionary<string, string> expected = [], found = [];
            await Eventually.TrueAsync(async () =>
            {
                expected = await _processors[0].UndisturbedAsync(query, query.Name, complete: true);
                found = await _processors[0].RowsAsync(query.Name);
                return found.Count >= expected.Count;
            }, $"{query.Name} is complete", TimeSpan.FromSeconds(20));
            Assert.That(found, Is.EqualTo(expected), query.Name);
        }
    }

    private async Task<List<QueryConfig>> ApplyAsync()
    {
        var applied = new List<QueryConfig>();
        foreach (var (name, text) in Queries)
        {
            applied.Add(new QueryConfig
            {
                Name = name,
                Version = 1,
                Text = text,
                Options = new QueryOptions { StartFrom = "earliest" },
                CreatedAt = DateTimeOffset.UnixEpoch,
                UpdatedAt = DateTimeOffset.UnixEpoch,
            });
            await _processors[0].Get<IQueryStore>().SaveAsync(applied[^1], 0);
        }

        return applied;
    }

    private async Task SendAsync(Random random, int records)
    {
        for (var i = 0; i < records; i++)
        {
            var device = random.Next(Devices);
            var body = $$"""{"v":{{random.Next(100)}},"room":"r{{random.Next(5)}}"}""";
            await _processors[0].AppendAsync(device % ProcessorFixture.Partitions,
                TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), $"d{device}", body);
            Interlocked.Increment(ref _sent);
        }
    }
}
