using CsCheck;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Telemetry;

namespace Millrace.Contract.Tests.Stores;

public class TelemetryStoreTests
{
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 2);

    private StoreFixture _stores = null!;
    private ITelemetryStore _store = null!;

    [SetUp]
    public void Open() => _store = (_stores = new StoreFixture()).Get<ITelemetryStore>();

    [TearDown]
    public void Close() => _stores.Dispose();

    [Test]
    public async Task Rows_and_position_move_together_and_outlive_a_restart()
    {
        await _store.WriteAsync(Partition, [Message("a", 5, 100)], new SinkPosition(6, "note"));
        _stores.Reopen();
        _store = _stores.Get<ITelemetryStore>();

        var page = await _store.QueryAsync(new TelemetryRange("a"));
        Assert.That(page.Items.Select(m => m.Offset), Is.EqualTo(new[] { 5L }));
        Assert.That(await _store.PositionAsync(Partition), Is.EqualTo(new SinkPosition(6, "note")));
        Assert.That(await _store.PositionAsync(new TopicPartition(Topics.Telemetry, 1)), Is.Null);
    }

    [Test]
    public async Task A_row_comes_back_as_it_went_in()
    {
        var sent = Message("a", 7, 100) with
        {
            ModuleId = "m",
            ContentType = "application/json",
            ContentEncoding = "utf-8",
            MessageId = "id",
            CorrelationId = "c",
            UserId = "u",
            GenerationId = "g",
            Properties = new Dictionary<string, string> { ["colour"] = "blå", ["empty"] = "" },
            Body = [0, 255, 7],
        };
        await _store.WriteAsync(Partition, [sent], new SinkPosition(8));

        var got = (await _store.QueryAsync(new TelemetryRange("a"))).Items.Single();
        Assert.That(got with { Properties = sent.Properties, Body = sent.Body }, Is.EqualTo(sent));
        Assert.That(got.Properties, Is.EqualTo(sent.Properties));
        Assert.That(got.Body, Is.EqualTo(sent.Body));
    }

    [Test]
    public async Task A_replay_changes_nothing()
    {
        var rows = Enumerable.Range(0, 50).Select(i => Message($"d{i % 3}", i, 1000 - i)).ToArray();
        await _store.WriteAsync(Partition, rows, new SinkPosition(50));
        await _store.WriteAsync(Partition, rows[20..], new SinkPosition(50));

        Assert.That(await _store.CountAsync(), Is.EqualTo(50));
    }

    [Test]
    public async Task The_latest_value_has_the_highest_event_time_then_offset_in_whatever_order_rows_come()
    {
        var round = 0;
        await Gen.Select(Gen.Int[0, 4], Gen.Int[0, 20]).List[1, 30].SampleAsync(async picks =>
        {
            var device = $"device-{Interlocked.Increment(ref round)}";
            var rows = picks.Select((p, i) => Message(device, (p.Item1 * 100) + i, p.Item2)).ToList();
            foreach (var chunk in rows.Chunk(7)) await _store.WriteAsync(Partition, chunk, new SinkPosition(0));

            var expected = rows.MaxBy(r => (r.EventAtMs, r.Offset))!;
            var latest = await _store.LatestAsync(device);
            return latest!.Offset == expected.Offset && latest.EventAtMs == expected.EventAtMs;
        }, iter: 50, threads: 1);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Paging_gives_each_row_of_the_range_once_in_order(bool oldestFirst)
    {
        var random = new Random(4711);
        var rows = Enumerable.Range(0, 200).Select(i => Message(i % 4 == 0 ? "b" : "a", i, random.Next(60))).ToList();
        await _store.WriteAsync(Partition, rows, new SinkPosition(200));

        var got = new List<long>();
        string? token = null;
        do
        {
            var page = await _store.QueryAsync(new TelemetryRange("a", 10, 50, 7, token, oldestFirst));
            got.AddRange(page.Items.Select(m => m.Offset));
            Assert.That(page.Items, Has.Count.LessThanOrEqualTo(7));
            token = page.Continuation;
        }
        while (token is not null);

        var expected = rows.Where(r => r.DeviceId == "a" && r.EventAtMs is >= 10 and < 50)
            .OrderBy(r => r.EventAtMs).ThenBy(r => r.Offset).Select(r => r.Offset).ToList();
        if (!oldestFirst) expected.Reverse();
        Assert.That(got, Is.EqualTo(expected));
    }

    [Test]
    public async Task Expiry_removes_by_enqueued_time_and_leaves_the_latest_value()
    {
        var rows = Enumerable.Range(0, 20).Select(i => Message("a", i, 5) with { EnqueuedAtMs = i }).ToArray();
        await _store.WriteAsync(Partition, rows, new SinkPosition(20));

        Assert.That(await _store.ExpireAsync(15), Is.EqualTo(15));
        Assert.That(await _store.CountAsync(), Is.EqualTo(5));
        Assert.That(await _store.ExpireAsync(100), Is.EqualTo(5));
        Assert.That((await _store.LatestAsync("a"))!.Offset, Is.EqualTo(19));
    }

    [Test]
    public void A_token_that_is_none_is_told_by_its_code()
    {
        var error = Assert.ThrowsAsync<MillraceException>(
            async () => await _store.QueryAsync(new TelemetryRange("a", Continuation: "nonsense")));
        Assert.That(error!.Error.Code, Is.EqualTo("ST-0002"));
    }

    private static TelemetryMessage Message(string device, long offset, long eventAtMs) => new()
    {
        DeviceId = device,
        Partition = Partition.Partition,
        Offset = offset,
        EnqueuedAtMs = 1_000 + offset,
        EventAtMs = eventAtMs,
        Properties = new Dictionary<string, string>(),
        Body = [1, 2, 3],
    };
}
