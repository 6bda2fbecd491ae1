using System.Runtime.InteropServices;
using CsCheck;
using Millrace.Stores;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

public sealed class CassandraPositionStoreTests : PositionStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    [Test]
    public async Task A_device_that_is_made_anew_is_found_though_its_predecessor_is_told_to_be_gone_only_later()
    {
        var anew = Sent("d", 20, 3_000, "g2") with { EnqueuedAtMs = 6_000 };
        await Store.WriteAsync([Sent("d", 10, 4_000, "g1"), anew]);
        await AllAsync(10, token => Store.WithinAsync(new GeoBox(-90, -180, 90, 180), 10, token ?? InAnHour()));
        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);

        Assert.That(await Store.FindAsync("d"), Is.EqualTo(anew));
        Assert.That((await Store.WithinAsync(new GeoBox(19, -1, 21, 1), 10)).Items, Is.EqualTo(new[] { anew }));
    }

    /// <param name="clearsUp">Whether searches remove what was left, as they do of devices that stood a second.</param>
    [Test]
    public async Task A_device_is_where_a_look_at_all_that_was_written_says_in_whatever_order_it_is_told(
        [Values] bool clearsUp)
    {
        var round = 0;
        await Gen.Int.SampleAsync(async seed =>
        {
            var random = new Random(seed);
            var steps = LivesOf($"device-{++round}", random);
            steps.AddRange(steps.Where(_ => random.Next(3) == 0).ToList());
            random.Shuffle(CollectionsMarshal.AsSpan(steps));
            await AgreesAsync(
                steps.Select(step => random.Next(2) == 0 ? step : step.With(steps[random.Next(steps.Count)])),
                begin: clearsUp ? InAnHour() : null);
        }, iter: Samples.Of(10), threads: 1);
    }

    /// <summary>
    /// The version before keeps one position of a device: right for the first of its generations. Others are not where
    /// that was, for the removal of its entry takes what was written there before it.
    /// </summary>
    [Test]
    public async Task A_device_is_where_a_look_at_all_that_was_written_says_whichever_versions_write_it(
        [Values] bool clearsUp)
    {
        var (round, before) = (0, new CassandraPositionStore(Adapter.Get<CassandraDatabase>(),
            new CassandraTelemetryOptions(), new RollingUpgrade(), TimeProvider.System));
        await Gen.Int.SampleAsync(async seed =>
        {
            var random = new Random(seed);
            var lives = LivesOf($"device-{++round}", random).ConvertAll(step => step with
            {
                Positions = [.. step.Positions.Select(
                    one => one.GenerationId == "g1" ? one with { Longitude = 9 } : one)],
            });
            await AgreesAsync(
                lives.SelectMany(step => new[] { step, lives[random.Next(lives.Count)] }),
                step => step.Positions.All(one => one.GenerationId == "g1") && random.Next(2) == 0 ? before : Store,
                clearsUp ? InAnHour() : null);
        }, iter: Samples.Of(10), threads: 1);
    }

    [Test]
    public async Task A_position_is_written_where_the_version_before_finds_it_until_the_upgrade_is_finalised()
    {
        var database = Adapter.Get<CassandraDatabase>();
        var before = new CassandraPositionStore(
            database, new CassandraTelemetryOptions(), new RollingUpgrade(), TimeProvider.System);
        await before.WriteAsync([Sent("d", 10, 1_000, "g1")], default);
        Assert.That(await WrittenAsync(), Is.EqualTo((true, 0, 1)));

        await Store.WriteAsync([Sent("d", 20, 2_000, "g1")]);
        Assert.That(await WrittenAsync(), Is.EqualTo((true, 1, 1)));
        Assert.That((await before.FindAsync("d", default))!.Latitude, Is.EqualTo(20));

        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);
        Assert.That(await WrittenAsync(), Is.EqualTo((false, 0, 0)));

        async Task<(bool IsSharedThere, int OfGenerations, long Entries)> WrittenAsync()
        {
            var (isSharedThere, ofGenerations) = (await database.ListAsync(
                new StoreStatement("SELECT value, by_generation FROM positions_of_devices"),
                row => (!row.IsNull(0), row.IsNull(1) ? 0 : row.Get<Dictionary<string, object[]>>(1).Count),
                default)).Single();
            return (isSharedThere, ofGenerations, await database.FirstAsync(
                new StoreStatement("SELECT count(*) FROM positions_by_area"), row => row.Get<long>(0), default));
        }
    }

    /// <summary>The token of a search that begins in an hour: all devices have stood still by then.</summary>
    private static string InAnHour() => ContinuationToken.Write("positions", -1L, "",
        TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds());
}
