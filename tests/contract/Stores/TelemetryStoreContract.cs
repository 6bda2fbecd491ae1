using CsCheck;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract partial class TelemetryStoreContract : StoreContract<ITelemetryStore>
{
    /// <summary>The most bytes that a body may have for the adapter under test.</summary>
    protected const int BodyBytesMax = 100_000;

    [Test]
    public async Task Rows_and_position_move_together_and_outlive_a_restart()
    {
        await Store.WriteAsync(Partition(2), [Message("a", 5, 100)], new SinkPosition(6, "note"));
        Reopen();

        var page = await Store.QueryAsync(new TelemetryRange("a"));
        Assert.That(page.Items.Select(m => m.Offset), Is.EqualTo(new[] { 5L }));
        Assert.That(await Store.PositionAsync(Partition(2)), Is.EqualTo(new SinkPosition(6, "note")));
        Assert.That(await Store.PositionAsync(Partition(1)), Is.Null);
    }

    [Test]
    public async Task A_row_comes_back_as_it_went_in()
    {
        var full = Message("a", 7, 100) with
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
        var bare = Message("b", 8, 100) with { Body = [], ContentType = "" };
        await Store.WriteAsync(Partition(2), [full, bare], new SinkPosition(9));

        foreach (var sent in new[] { full, bare })
        {
            var listed = (await Store.QueryAsync(new TelemetryRange(sent.DeviceId))).Items.Single();
            foreach (var got in new[] { listed, (await Store.LatestAsync(sent.DeviceId))! })
            {
                Assert.That(got with { Properties = sent.Properties, Body = sent.Body }, Is.EqualTo(sent));
                Assert.That(got.Properties, Is.EqualTo(sent.Properties));
                Assert.That(got.Body, Is.EqualTo(sent.Body));
            }
        }
    }

    [Test]
    public async Task Of_a_device_that_never_sent_there_is_nothing()
    {
        Assert.That((await Store.QueryAsync(new TelemetryRange("none"))).Items, Is.Empty);
        Assert.That(await Store.LatestAsync("none"), Is.Null);
        Assert.That(await Store.CountAsync(), Is.Zero);
        Assert.That(await Store.ExpireAsync(long.MaxValue), Is.Zero);
    }

    [Test]
    public async Task A_replay_changes_nothing_even_with_another_body()
    {
        var rows = Enumerable.Range(0, 50).Select(i => Message($"d{i % 3}", i, 1000 - i)).ToArray();
        await Store.WriteAsync(Partition(2), rows, new SinkPosition(50));
        await Store.WriteAsync(Partition(2), [.. rows[20..].Select(r => r with { Body = [9] })], new SinkPosition(50));

        Assert.That(await Store.CountAsync(), Is.EqualTo(50));
        var bodies = (await Store.QueryAsync(new TelemetryRange("d1"))).Items.Select(m => m.Body);
        Assert.That(bodies, Is.All.EqualTo(rows[0].Body));
    }

    [Test]
    public async Task A_position_may_move_without_rows_and_does_not_go_back_with_what_a_stale_writer_brings()
    {
        await Store.WriteAsync(Partition(0), [], new SinkPosition(10));
        await Store.WriteAsync(Partition(0), [Message("d", 2, 1)], new SinkPosition(3, "stale"));
        Assert.That(await Store.PositionAsync(Partition(0)), Is.EqualTo(new SinkPosition(10)));
        Assert.That(await Store.CountAsync(), Is.EqualTo(1));
        await Store.WriteAsync(Partition(0), [], new SinkPosition(11, "on"));
        Assert.That(await Store.PositionAsync(Partition(0)), Is.EqualTo(new SinkPosition(11, "on")));
    }

    [Test]
    public async Task The_latest_value_has_the_highest_event_time_then_offset_in_whatever_order_rows_come()
    {
        var round = 0;
        await Gen.Select(Gen.Int[0, 4], Gen.Int[0, 20]).List[1, 30].SampleAsync(async picks =>
        {
            var device = $"device-{Interlocked.Increment(ref round)}";
            var rows = picks.Select((p, i) => Message(device, (p.Item1 * 100) + i, p.Item2)).ToList();
            foreach (var chunk in rows.Chunk(7)) await Store.WriteAsync(Partition(2), chunk, new SinkPosition(0));

            var expected = rows.MaxBy(r => (r.EventAtMs, r.Offset))!;
            var latest = await Store.LatestAsync(device);
            return latest!.Offset == expected.Offset && latest.EventAtMs == expected.EventAtMs;
        }, iter: Samples.Of(25), threads: 1);
    }

    [Test]
    public async Task Several_devices_are_read_at_once_each_in_its_place_and_order()
    {
        string[] devices = ["many-c", "many-a", "many-none", "many-b"];
        foreach (var device in devices.Where(id => id != "many-none"))
        {
            await Store.WriteAsync(Partition(1), [.. Enumerable.Range(0, 5).Select(i => Message(device, i, i))],
                new SinkPosition(0));
        }

        var pages = await Store.QueryManyAsync([.. devices.Select(id => new TelemetryRange(id, Limit: 3))]);
        Assert.That(pages.Select(page => page.Items.Select(row => (row.DeviceId, row.Offset))), Is.EqualTo(
            devices.Select(id => id == "many-none" ? [] : new[] { (id, 4L), (id, 3L), (id, 2L) })));
        Assert.That(pages.Select(page => page.Continuation is null), Is.EqualTo(devices.Select(d => d == "many-none")));
        var rest = await Store.QueryAsync(new TelemetryRange("many-a", Continuation: pages[1].Continuation));
        Assert.That(rest.Items.Select(row => row.Offset), Is.EqualTo(new[] { 1L, 0L }));
        Assert.That((await Store.LatestManyAsync(devices)).Select(row => (row.DeviceId, row.Offset)),
            Is.EqualTo(new[] { ("many-c", 4L), ("many-a", 4L), ("many-b", 4L) }));
    }

    [Test]
    public async Task Writers_of_all_partitions_at_once_lose_nothing()
    {
        // A device is in one partition only; all meet the store for the first time.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(partition => Task.Run(async () =>
        {
            for (var batch = 0; batch < 10; batch++)
            {
                var rows = Enumerable.Range(batch * 50, 50)
                    .Select(i => Message($"p{partition}-d{i % 60}", i, i) with { Partition = partition }).ToArray();
                await Store.WriteAsync(Partition(partition), rows, new SinkPosition((batch + 1) * 50));
            }
        })));

        Assert.That(await Store.CountAsync(), Is.EqualTo(2000));
        for (var partition = 0; partition < 4; partition++)
        {
            Assert.That((await Store.PositionAsync(Partition(partition)))!.NextOffset, Is.EqualTo(500));
            Assert.That((await Store.LatestAsync($"p{partition}-d59"))!.Offset, Is.EqualTo(479));
            var rows = (await Store.QueryAsync(new TelemetryRange($"p{partition}-d7"))).Items;
            Assert.That(rows.Select(r => r.Offset), Is.EqualTo(new[] { 487L, 427, 367, 307, 247, 187, 127, 67, 7 }));
        }
    }

    [Test]
    public async Task A_row_that_is_too_large_is_told_and_nothing_is_written()
    {
        var rows = new[] { Message("a", 1, 1), Message("a", 2, 2) with { Body = new byte[BodyBytesMax + 1] } };
        var error = Assert.ThrowsAsync<MillraceException>(
            async () => await Store.WriteAsync(Partition(0), rows, new SinkPosition(3)))!.Error;

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowRefused));
        Assert.That(error.Value, Does.Contain("offset 2"));
        Assert.That(await Store.CountAsync(), Is.Zero);
        Assert.That(await Store.PositionAsync(Partition(0)), Is.Null);
        await Store.WriteAsync(Partition(0), [rows[1] with { Body = new byte[BodyBytesMax] }], new SinkPosition(3));
        Assert.That(await Store.CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task Expiry_takes_what_was_enqueued_before_in_whatever_order_it_came_and_leaves_latest_values()
    {
        var rows = new List<TelemetryMessage>();
        await Gen.Int[0, 100].Array[1, 60].List[1, 6].SampleAsync(async batches =>
        {
            foreach (var batch in batches)
            {
                var first = rows.Count;
                var more = batch.Select((at, i) => Message("a", first + i, 5) with { EnqueuedAtMs = at }).ToList();
                rows.AddRange(more);
                await Store.WriteAsync(Partition(2), more, new SinkPosition(rows.Count));
            }

            var latest = rows.Max(r => r.Offset);
            foreach (var before in new[] { 30, 31, 80, 101 })
            {
                var due = rows.Count(r => r.EnqueuedAtMs < before && r.EnqueuedAtMs >= 0);
                if (await Store.ExpireAsync(before) != due) return false;
                for (var i = 0; i < rows.Count; i++)
                    if (rows[i].EnqueuedAtMs < before) rows[i] = rows[i] with { EnqueuedAtMs = -1 };
                var kept = rows.Where(r => r.EnqueuedAtMs >= 0).Select(r => r.Offset).ToHashSet();
                if (await Store.CountAsync() != kept.Count) return false;
                var listed = await AllAsync(50, token => Store.QueryAsync(
                    new TelemetryRange("a", Limit: 50, Continuation: token)));
                if (!kept.SetEquals(listed.Select(m => m.Offset))) return false;
            }

            return (await Store.LatestAsync("a"))!.Offset == latest;
        }, iter: Samples.Of(5), threads: 1);
    }

    [Test]
    public async Task More_rows_than_an_adapter_removes_at_once_expire_too()
    {
        var rows = Enumerable.Range(0, 9_000)
            .Select(i => Message($"d{i % 9}", i, i) with { EnqueuedAtMs = i }).ToArray();
        await Store.WriteAsync(Partition(2), rows, new SinkPosition(9_000));

        Assert.That(await Store.ExpireAsync(8_500), Is.EqualTo(8_500));
        Assert.That(await Store.CountAsync(), Is.EqualTo(500));
    }

    private static TelemetryMessage Message(string device, long offset, long eventAtMs) => new()
    {
        DeviceId = device,
        Partition = 2,
        Offset = offset,
        EnqueuedAtMs = 1_000 + offset,
        EventAtMs = eventAtMs,
        Properties = new Dictionary<string, string>(),
        Body = [1, 2, 3],
    };
}
