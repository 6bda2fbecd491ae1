using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Positions;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Positions whose writes fail half way.</summary>
public sealed class CassandraPositionTests
{
    private static readonly GeoBox Everywhere = new(-90, -180, 90, 180);

    [Test]
    public async Task A_device_whose_entry_could_not_be_written_is_found_where_it_is_after_the_next_try()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("a", 10, 1), At("b", 10, 1)]);
        try
        {
            await RunAsync(adapter, "DROP TABLE positions_by_area");
            var failed = Assert.ThrowsAsync<MillraceException>(
                async () => await store.WriteAsync([At("a", 50, 2), At("b", 60, 2)]));
            Assert.That(failed!.Error.Definition, Is.EqualTo(StoreErrors.Unavailable), "a missing table may come");
            Assert.That((await store.FindAsync("a"))!.EventAtMs, Is.EqualTo(1), "entries are written first");
        }
        finally
        {
            await RunAsync(adapter, PositionSchema.Positions.Statements[1]);
        }

        await store.WriteAsync([At("a", 50, 2), At("b", 60, 2)]);
        Assert.That(await LatitudesAsync(store), Is.EquivalentTo(new[] { 50, 60 }));
    }

    [Test]
    public async Task A_position_that_is_stored_without_its_entry_gets_it_when_it_is_written_again()
    {
        using var adapter = new CassandraAdapter();
        await adapter.Get<IPositionStore>().WriteAsync([At("a", 10, 1)]);
        await RunAsync(adapter, "TRUNCATE positions_by_area");
        adapter.Reopen();

        await adapter.Get<IPositionStore>().WriteAsync([At("a", 10, 1)]);

        Assert.That(await LatitudesAsync(adapter.Get<IPositionStore>()), Is.EqualTo(new[] { 10 }));
    }

    private static async Task RunAsync(CassandraAdapter adapter, string text) => await adapter.Get<CassandraDatabase>()
        .RunAsync(new SimpleStatement(text) { Timeout = TimeSpan.FromMinutes(1) }, default);

    private static async Task<IEnumerable<double>> LatitudesAsync(IPositionStore store) =>
        (await store.WithinAsync(Everywhere, 10, null)).Items.Select(position => position.Latitude);

    private static DevicePosition At(string device, double latitude, long at) =>
        new(device, latitude, 20, null, at, 2, at, at);
}
