using CsCheck;
using Millrace.Stores;
using Millrace.Stores.Positions;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract partial class PositionStoreContract : StoreContract<IPositionStore>
{
    private static readonly Gen<double> Latitude = Gen.Double[-90, 90];
    private static readonly Gen<double> Longitude = Gen.Double[-180, 180];

    [Test]
    public async Task A_position_comes_back_as_it_went_in_and_outlives_a_restart()
    {
        var high = At("high", 47.42, 10.98, 1) with { Altitude = 2_962 };
        var flat = At("flat", -53.1, -70.9, 2);
        await Store.WriteAsync([high, flat]);
        Reopen();

        Assert.That(await Store.FindAsync("high"), Is.EqualTo(high));
        Assert.That(await Store.FindAsync("flat"), Is.EqualTo(flat));
        Assert.That(await Store.FindAsync("none"), Is.Null);
        Assert.That(await DevicesAsync(new GeoBox(-90, -180, 90, 180)), Is.EquivalentTo(new[] { "high", "flat" }));
    }

    [Test]
    public async Task The_position_of_the_highest_event_time_then_offset_stays_in_whatever_order_they_come()
    {
        var round = 0;
        await Gen.Select(Gen.Int[0, 4], Latitude, Longitude).List[1, 12].SampleAsync(async picks =>
        {
            var device = $"device-{++round}";
            var all = picks.Select((p, i) => At(device, p.Item2, p.Item3, p.Item1, offset: i)).ToList();
            var shuffled = all.OrderBy(p => p.Latitude).ToList();
            foreach (var chunk in shuffled.Chunk(3)) await Store.WriteAsync(chunk);
            await Store.WriteAsync(shuffled);
            return await Store.FindAsync(device) == all.MaxBy(p => (p.EventAtMs, p.Offset));
        }, iter: Samples.Of(10), threads: 1);
    }

    [Test]
    public async Task A_device_that_moved_is_where_it_is_and_nowhere_else()
    {
        var west = new GeoBox(50, 0, 60, 10);
        var east = new GeoBox(50, 20, 60, 30);
        await Store.WriteAsync([At("d", 55, 5, 1)]);
        Reopen();
        await Store.WriteAsync([At("d", 55, 25, 3)]);
        await Store.WriteAsync([At("d", 55, 5, 2)]);
        Assert.That(await DevicesAsync(west), Is.Empty);
        Assert.That(await DevicesAsync(east), Is.EqualTo(new[] { "d" }));

        await Store.WriteAsync([At("d", 55, 5, 4)]);
        Assert.That(await DevicesAsync(west), Is.EqualTo(new[] { "d" }));
        Assert.That(await DevicesAsync(east), Is.Empty);
    }

    [Test]
    public async Task A_device_whose_time_stands_still_is_where_it_came_last_and_nowhere_else()
    {
        var everywhere = new GeoBox(-90, -180, 90, 180);
        for (var step = 1; step <= 5; step++)
        {
            var at = At("d", step % 2 == 0 ? 50 : 10, 20, 1_000, offset: step);
            await Store.WriteAsync([at]);
            for (var look = 0; look < 2; look++)
            {
                var found = await AllAsync(10, token => Store.WithinAsync(everywhere, 10, token));
                Assert.That(found, Is.EqualTo(new[] { at }));
            }
        }

        await Store.WriteAsync([At("d", 30, 20, 1_001, offset: 6)]);
        Assert.That(await DevicesAsync(everywhere), Is.EqualTo(new[] { "d" }));
        Assert.That(await DevicesAsync(new GeoBox(29, 19, 31, 21)), Is.EqualTo(new[] { "d" }));
    }

    [Test]
    public async Task What_is_within_an_area_is_what_a_look_at_every_device_finds_page_by_page()
    {
        var random = new Random(4711);
        var fleet = Enumerable.Range(0, 300).Select(i => i % 3 == 0
            ? At($"far-{i}", (random.NextDouble() * 180) - 90, (random.NextDouble() * 360) - 180, i)
            : At($"near-{i}", 52.5 + random.NextDouble(), 13.4 + random.NextDouble(), i)).ToList();
        await Store.WriteAsync(fleet);
        var box = from corner in Gen.Select(Latitude, Longitude, Latitude, Longitude)
                  select (GeoArea)new GeoBox(Math.Min(corner.Item1, corner.Item3), corner.Item2,
                      Math.Max(corner.Item1, corner.Item3), corner.Item4);
        var wide = from circle in Gen.Select(Latitude, Longitude, Gen.Double[0, 15_000_000])
                   select (GeoArea)new GeoCircle(circle.Item1, circle.Item2, circle.Item3);
        var near = from circle in Gen.Select(Gen.Double[52, 54], Gen.Double[13, 15], Gen.Double[0, 100_000])
                   select (GeoArea)new GeoCircle(circle.Item1, circle.Item2, circle.Item3);
        await Gen.Select(Gen.OneOf(box, wide, near), Gen.Int[1, 120]).SampleAsync(async (area, limit) =>
        {
            var found = (await AllAsync(limit, token => Store.WithinAsync(area, limit, token)))
                .Select(p => p.DeviceId).ToList();
            var expected = fleet.Where(p => area.Contains(p.Latitude, p.Longitude)).Select(p => p.DeviceId).ToHashSet();
            return found.Count == expected.Count && expected.SetEquals(found);
        }, iter: Samples.Of(20), threads: 1);
    }

    [Test]
    public async Task A_deleted_device_is_nowhere_and_what_comes_late_of_it_brings_it_back_nowhere()
    {
        var everywhere = new GeoBox(-90, -180, 90, 180);
        await Store.WriteAsync([Sent("gone", 10, 1_000, "g1"), Sent("other", 11, 1_000, "g9")]);
        await Store.ForgetAsync([new DeviceEnd("gone", "g1", 5_000), new DeviceEnd("never-sent", "g2", 5_000)]);
        Assert.That(await Store.FindAsync("gone"), Is.Null);
        Assert.That(await DevicesAsync(everywhere), Is.EqualTo(new[] { "other" }));

        Reopen();
        await Store.WriteAsync([Sent("gone", 20, 4_000, null)]);
        await Store.WriteAsync([Sent("gone", 30, 6_000, "g1")]);
        await Store.WriteAsync([Sent("gone", 10, 1_000, "g1"), Sent("never-sent", 40, 6_000, "g2")]);
        for (var look = 0; look < 2; look++)
        {
            Assert.That(await Store.FindAsync("gone"), Is.Null);
            Assert.That(await DevicesAsync(everywhere), Is.EqualTo(new[] { "other" }));
        }
    }

    [Test]
    public async Task A_device_that_is_made_anew_is_where_it_is_whatever_is_replayed()
    {
        var (first, second) = (new DeviceEnd("d", "g1", 5_000), new DeviceEnd("d", "g2", 8_000));
        var (before, after) = (Sent("d", 10, 4_000, "g1"), Sent("d", 20, 6_000, "g2"));
        await Store.WriteAsync([before]);
        await Store.ForgetAsync([first]);
        await Store.WriteAsync([after]);
        await Store.ForgetAsync([first]);
        await Store.WriteAsync([before]);
        Assert.That(await Store.FindAsync("d"), Is.EqualTo(after));
        Assert.That(await DevicesAsync(new GeoBox(19, -1, 21, 1)), Is.EqualTo(new[] { "d" }));
        Assert.That(await DevicesAsync(new GeoBox(9, -1, 11, 1)), Is.Empty);

        await Store.ForgetAsync([second]);
        await Store.ForgetAsync([first]);
        Reopen();
        await Store.WriteAsync([Sent("d", 30, 7_000, "g2")]);
        Assert.That(await Store.FindAsync("d"), Is.Null, "the later end holds, whichever was told last");
        var third = Sent("d", 40, 9_000, "g3");
        await Store.WriteAsync([third]);
        Assert.That(await Store.FindAsync("d"), Is.EqualTo(third));
        Assert.That(await DevicesAsync(new GeoBox(-90, -180, 90, 180)), Is.EqualTo(new[] { "d" }));
    }

    [TestCase("nonsense")]
    [TestCase("")]
    public void A_token_that_is_none_is_told_by_its_code(string token) => Assert.That(
        CodeOf(async () => await Store.WithinAsync(new GeoCircle(0, 0, 1), 10, token)), Is.EqualTo("ST-0002"));

    private async Task<List<string>> DevicesAsync(GeoArea area) =>
        [.. (await AllAsync(10, token => Store.WithinAsync(area, 10, token))).Select(p => p.DeviceId)];

    private static DevicePosition At(
        string device, double latitude, double longitude, long eventAtMs, long offset = 0) =>
        new(device, latitude, longitude, null, eventAtMs, 2, offset, EnqueuedAtMs: eventAtMs + 7);

    /// <summary>At a place that its latitude names, enqueued when it was taken.</summary>
    protected static DevicePosition Sent(string device, double latitude, long at, string? generation) =>
        new(device, latitude, 0, null, at, 2, at, at, generation);
}

public sealed class SqlitePositionStoreTests : PositionStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}
