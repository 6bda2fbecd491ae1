using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Positions;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Positions whose writes fail half way, and those that change while they are looked for.</summary>
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
            await RunAsync(adapter, PositionSchema.Generations.Statements[1]);
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

    [Test]
    public async Task A_device_that_reports_again_from_its_cell_while_it_is_looked_for_is_found_and_keeps_its_entry()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("a", 10, 1), At("b", 50, 1)]);
        await MoveAsync(adapter, At("a", 10.0001, 2));

        Assert.That(await LatitudesAsync(store), Is.EquivalentTo(new[] { 10.0001, 50 }));
        Assert.That(await EntriesAsync(adapter), Is.EqualTo(2));
    }

    [TestCase(20)]
    [TestCase(40)]
    [TestCase(60)]
    public async Task A_device_that_moves_while_it_is_looked_for_is_found_once(double latitude)
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("a", 10, 1), At("moves", 40, 1), At("b", 30, 1), At("c", 50, 1)]);

        // Its row says so, and the entry that it has there is not among those that were read.
        await MoveAsync(adapter, At("moves", latitude + 0.0001, 2));
        Assert.That(await LatitudesAsync(store), Is.EquivalentTo(new[] { 10, 30, latitude + 0.0001, 50 }));

        await store.WriteAsync([At("moves", 40, 3)]);
        await store.WriteAsync([At("moves", latitude, 4)]);
        await RunAsync(adapter, await new PositionTables(adapter.Get<CassandraDatabase>())
            .BindEntryAsync(new WrittenPosition(At("moves", 40.0001, 4), IsShared: false), default));
        Assert.That(await LatitudesAsync(store), Is.EquivalentTo(new[] { 10, 30, latitude, 50 }));
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_device_that_stands_still_is_found_once_though_a_later_page_comes_by_an_entry_it_left(int limit)
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("stands", 10, 2), At("a", 20, 1), At("b", 30, 1)]);
        await LeaveBehindAsync(adapter, At("stands", 40, 1));
        var written = await NowMsAsync(adapter);
        await Eventually.TrueAsync(async () => await NowMsAsync(adapter) - written > 1_000, "it stood for a second");

        Assert.That(await NamesByPageAsync(store, limit), Is.EqualTo(new[] { "stands", "a", "b" }));
        Assert.That(await EntriesAsync(adapter), Is.EqualTo(3), "what was left is removed");
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_device_that_moves_to_where_a_page_was_read_is_found_by_the_entry_that_it_leaves(int limit)
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("a", 20, 1), At("b", 30, 1), At("moves", 40, 1)]);
        var first = await store.WithinAsync(Everywhere, 1, null);
        await LeaveBehindAsync(adapter, At("moves", 10, 2));
        await MoveAsync(adapter, At("moves", 10, 2));

        Assert.That(first.Items.Single().DeviceId, Is.EqualTo("a"));
        Assert.That(await NamesByPageAsync(store, limit, first.Continuation), Is.EqualTo(new[] { "b", "moves" }));
    }

    [Test]
    public async Task A_device_that_a_process_of_the_version_before_wrote_is_taken_where_an_entry_leads_to_it()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("a", 20, 1), At("b", 30, 1), At("moves", 40, 1)]);
        var first = await store.WithinAsync(Everywhere, 1, null);
        var moved = At("moves", 10, 2);
        await RunAsync(adapter, new SimpleStatement(
            "INSERT INTO positions_of_devices(shard, device, value) VALUES(?, ?, ?) USING TIMESTAMP 2000",
            PositionTables.ShardOf("moves"), "moves", PositionCodec.Write(moved)));

        Assert.That(await NamesByPageAsync(store, 1, first.Continuation), Is.EqualTo(new[] { "b", "moves" }));
    }

    [Test]
    public async Task A_search_that_began_in_the_version_before_goes_on_and_takes_what_an_entry_leads_to()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<IPositionStore>();
        await store.WriteAsync([At("stands", 10, 2), At("a", 20, 1), At("b", 30, 1)]);
        await LeaveBehindAsync(adapter, At("stands", 40, 1));
        var token = ContinuationToken.Write("positions", PositionTables.CellOf(At("a", 20, 1)), "a");

        Assert.That(await NamesByPageAsync(store, 1, token), Is.EqualTo(new[] { "b", "stands" }));
    }

    /// <summary>An entry as a writer makes it that does not come to its next step.</summary>
    private static async Task LeaveBehindAsync(CassandraAdapter adapter, DevicePosition position)
    {
        var tables = new PositionTables(adapter.Get<CassandraDatabase>());
        var area = PositionTables.AreaOf(PositionTables.CellOf(position));
        await RunAsync(adapter, await tables.BindAreaAsync(area, default));
        await RunAsync(adapter, await tables.BindEntryAsync(new WrittenPosition(position, IsShared: false), default));
    }

    private static async Task<long> NowMsAsync(CassandraAdapter adapter) =>
        (await RunAsync(adapter, "SELECT toTimestamp(now()) FROM system.local"))[0].Get<long>(0);

    /// <summary>Whom a search names, or the rest of one.</summary>
    private static async Task<List<string>> NamesByPageAsync(IPositionStore store, int limit, string? token = null)
    {
        var names = new List<string>();
        do
        {
            var page = await store.WithinAsync(Everywhere, limit, token);
            names.AddRange(page.Items.Select(position => position.DeviceId));
            token = page.Continuation;
        }
        while (token is not null);

        return names;
    }

    private static async Task MoveAsync(CassandraAdapter adapter, DevicePosition position) => await RunAsync(
        adapter, await new PositionTables(adapter.Get<CassandraDatabase>())
            .BindDeviceAsync(new WrittenPosition(position, IsShared: false), default));

    private static async Task<long> EntriesAsync(CassandraAdapter adapter) =>
        (await RunAsync(adapter, "SELECT count(*) FROM positions_by_area"))[0].Get<long>(0);

    private static async Task<RowSet> RunAsync(CassandraAdapter adapter, CqlStatement statement) =>
        await adapter.Get<CassandraDatabase>().RunAsync(statement, default);

    private static Task<RowSet> RunAsync(CassandraAdapter adapter, string text) =>
        RunAsync(adapter, new SimpleStatement(text) { Timeout = TimeSpan.FromMinutes(1) });

    private static async Task<IEnumerable<double>> LatitudesAsync(IPositionStore store) =>
        (await store.WithinAsync(Everywhere, 10, null)).Items.Select(position => position.Latitude);

    private static DevicePosition At(string device, double latitude, long at) =>
        new(device, latitude, 20, null, at, 2, at, at);
}
