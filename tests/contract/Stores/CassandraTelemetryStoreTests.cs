using System.Runtime.InteropServices;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

public sealed class CassandraTelemetryStoreTests : TelemetryStoreContract
{
    protected override IStoreAdapter OpenEmpty() =>
        new CassandraAdapter(o => o.RowBytesMax = new ByteSize(BodyBytesMax));

    [Test]
    public async Task The_latest_value_is_that_of_a_look_at_all_rows_in_whatever_order_what_happens_is_told()
    {
        var round = 0;
        await Gen.Int.SampleAsync(async seed =>
        {
            var random = new Random(seed);
            var steps = LivesOf($"device-{++round}", random);
            steps.AddRange(steps.Where(_ => random.Next(3) == 0).ToList());
            random.Shuffle(CollectionsMarshal.AsSpan(steps));
            await AgreesAsync(steps.Select(
                step => random.Next(2) == 0 ? step : step.With(steps[random.Next(steps.Count)])));
        }, iter: Samples.Of(10), threads: 1);
    }

    /// <summary>The version before keeps one value of a device: right for the first of its generations.</summary>
    [Test]
    public async Task The_latest_value_is_that_of_a_look_at_all_rows_whichever_versions_write_them()
    {
        var (round, before) = (0, CassandraTelemetryTests.Open(Adapter, new RollingUpgrade()));
        await Gen.Int.SampleAsync(async seed =>
        {
            var random = new Random(seed);
            var lives = LivesOf($"device-{++round}", random);
            await AgreesAsync(
                lives.SelectMany(step => new[] { step, lives[random.Next(lives.Count)] }),
                step => step.Rows.All(row => row.GenerationId == "g1") && random.Next(2) == 0 ? before : Store);
        }, iter: Samples.Of(10), threads: 1);
    }
}

/// <summary>What only Cassandra has: layouts that change, time to live, a limit of the nodes' own.</summary>
public sealed class CassandraTelemetryTests
{
    private static readonly TopicPartition Partition = new("any", 2);
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly long NowMs = Now.ToUnixTimeMilliseconds();
    private static readonly long HourMs = (long)TimeSpan.FromHours(1).TotalMilliseconds;

    [Test]
    public async Task Another_bucket_holds_from_an_hour_or_more_ahead_and_all_rows_are_found()
    {
        var (bucket, shards) = (TimeSpan.FromMinutes(10), 256);
        using var adapter = new CassandraAdapter(changeCassandra: o =>
            (o.Telemetry.Bucket, o.Telemetry.Shards) = (bucket, shards));
        var rows = Enumerable.Range(0, 100).Select(i => Message(i, NowMs + ((i - 50) * HourMs / 5))).ToList();
        await adapter.Get<ITelemetryStore>().WriteAsync(Partition, rows[..50], new SinkPosition(50));
        (bucket, shards) = (TimeSpan.FromMinutes(5), 64);
        adapter.Reopen();
        await adapter.Get<ITelemetryStore>().WriteAsync(Partition, rows[50..], new SinkPosition(100));

        var layouts = await RowsAsync(adapter, "SELECT from_at, width_ms, shards FROM telemetry_layouts",
            row => (From: row.Get<long>(0), WidthMs: row.Get<long>(1), Shards: row.Get<int>(2)));
        Assert.That(layouts.Select(layout => layout.WidthMs), Is.EqualTo(new[] { 600_000L, 300_000L }));
        Assert.That(layouts.Select(layout => layout.Shards), Is.EqualTo(new[] { 256, 64 }));
        var from = layouts[1].From;
        Assert.That(from, Is.InRange(NowMs + HourMs, NowMs + (4 * HourMs)));
        foreach (var oldestFirst in new[] { false, true })
        {
            var found = await adapter.Get<ITelemetryStore>().QueryAsync(
                new TelemetryRange("d", Limit: 1_000, OldestFirst: oldestFirst));
            var expected = rows.Select(row => row.Offset);
            Assert.That(found.Items.Select(row => row.Offset),
                Is.EqualTo(oldestFirst ? expected : expected.Reverse()));
        }

        var places = await RowsAsync(adapter, "SELECT bucket, event_at FROM telemetry",
            row => (Bucket: row.Get<long>(0), At: row.Get<long>(1)));
        Assert.That(places, Has.Count.EqualTo(100));
        foreach (var place in places)
            Assert.That(place.At - place.Bucket, Is.InRange(0, place.At < from ? 599_999 : 299_999));
    }

    [Test]
    public async Task Processes_that_start_at_the_same_time_record_one_layout()
    {
        using var adapter = new CassandraAdapter();
        var stores = Enumerable.Range(0, 4).Select(_ => Open(adapter, new RollingUpgrade())).ToList();
        await Task.WhenAll(stores.Select((store, i) => Task.Run(async () =>
            await store.WriteAsync(Partition, [Message(i, NowMs)], new SinkPosition(i + 1)))));

        var layouts = await RowsAsync(adapter, "SELECT from_at FROM telemetry_layouts", row => row.Get<long>(0));
        Assert.That(layouts, Is.EqualTo(new[] { 0L }));
        Assert.That(await stores[0].CountAsync(), Is.EqualTo(4));
        Assert.That(await stores[0].PositionAsync(Partition), Is.EqualTo(new SinkPosition(4)));
    }

    [Test]
    public async Task Rows_live_for_the_retention_from_when_they_were_enqueued_and_latest_values_for_good()
    {
        using var adapter = new CassandraAdapter(o => o.TelemetryRetention = TimeSpan.FromHours(1));
        var store = adapter.Get<ITelemetryStore>();
        var due = Message(1, NowMs) with { EnqueuedAtMs = NowMs - (2 * HourMs) };
        var kept = Message(2, NowMs - HourMs) with { EnqueuedAtMs = NowMs - (HourMs / 2) };
        await store.WriteAsync(Partition, [due, kept], new SinkPosition(3));

        Assert.That((await store.QueryAsync(new TelemetryRange("d"))).Items.Select(row => row.Offset),
            Is.EqualTo(new[] { 2L }));
        Assert.That((await store.LatestAsync("d"))!.Offset, Is.EqualTo(1));
        var ttls = await RowsAsync(adapter, "SELECT ttl(body) FROM telemetry", row => row.Get<int?>(0));
        Assert.That(ttls.Single(), Is.InRange(1_200, 1_801));
        var latest = await RowsAsync(
            adapter, "SELECT ttl(by_generation) FROM telemetry_latest", row => row.Get<List<int?>>(0));
        Assert.That(latest.Single(), Is.EqualTo(new int?[] { null }));
    }

    [Test]
    public async Task A_row_that_the_nodes_do_not_take_is_refused_for_good_and_names_no_other_failure()
    {
        using var adapter = new CassandraAdapter(o => o.RowBytesMax = ByteSize.FromMiB(64));
        var store = adapter.Get<ITelemetryStore>();
        var huge = Message(1, NowMs) with { Body = new byte[20 << 20] };
        var error = Assert.ThrowsAsync<MillraceException>(
            async () => await store.WriteAsync(Partition, [huge], new SinkPosition(2)))!.Error;

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowRefused), error.ToString());
        await store.WriteAsync(Partition, [Message(2, NowMs)], new SinkPosition(3));
        Assert.That(await store.CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_key_that_is_too_long_for_the_nodes_is_refused_for_good()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<ITelemetryStore>();
        var error = Assert.ThrowsAsync<MillraceException>(async () => await store.WriteAsync(
            Partition, [Message(1, NowMs) with { DeviceId = new string('d', 70_000) }], new SinkPosition(2)))!.Error;
        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowRefused), error.ToString());

        var alert = new AlertRow(new string('r', 70_000), "q", 1, "d", AlertSeverity.Warning, "hot", Now, "{}");
        error = Assert.ThrowsAsync<MillraceException>(async () => await adapter.Get<IAlertStore>().WriteAsync(
            Partition, [alert], new SinkPosition(1)))!.Error;
        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowRefused), error.ToString());
    }

    [Test]
    public async Task A_latest_value_is_written_where_the_version_before_finds_it_until_the_upgrade_is_finalised()
    {
        using var adapter = new CassandraAdapter();
        var store = Open(adapter, new RollingUpgrade());
        await store.WriteAsync(Partition, [Message(1, 1_000) with { GenerationId = "g1" }], new SinkPosition(2));
        Assert.That(await CellsAsync(adapter), Is.EqualTo((true, 0)));

        store = Open(adapter, new RollingUpgrade { Finalised = Migrations.NumberOf(TelemetrySchema.Generations) });
        await store.WriteAsync(Partition, [Message(2, 2_000) with { GenerationId = "g1" }], new SinkPosition(3));
        Assert.That(await CellsAsync(adapter), Is.EqualTo((true, 1)));
        Assert.That((await store.LatestAsync("d"))!.Offset, Is.EqualTo(2));

        await store.ForgetAsync([new DeviceEnd("d", "g1", NowMs)]);
        Assert.That(await CellsAsync(adapter), Is.EqualTo((false, 0)));
    }

    /// <summary>Whether the value that all generations share is there, and how many there are of single ones.</summary>
    private static async Task<(bool IsSharedThere, int OfGenerations)> CellsAsync(CassandraAdapter adapter) =>
        (await RowsAsync(adapter, "SELECT value, by_generation FROM telemetry_latest", row =>
            (!row.IsNull(0), row.IsNull(1) ? 0 : row.Get<Dictionary<string, byte[]>>(1).Count))).Single();

    /// <summary>A row that is in hand elsewhere would lie before the change, by a clock that is right.</summary>
    [Test]
    public async Task A_process_whose_clock_is_behind_records_no_layout_and_writes_by_the_one_there_is()
    {
        using var adapter = new CassandraAdapter();
        await adapter.Get<ITelemetryStore>().WriteAsync(Partition, [Message(1, NowMs)], new SinkPosition(2));
        var clock = new ShiftedTime();
        clock.Move(-TimeSpan.FromHours(3));
        var behind = new CassandraTelemetryStore(adapter.Get<CassandraDatabase>(),
            new CassandraTelemetryOptions { Bucket = TimeSpan.FromMinutes(5) },
            new StoreOptions { TelemetryRetention = TimeSpan.Zero }, new RollingUpgrade(), clock,
            NullLogger<CassandraTelemetryStore>.Instance);

        await behind.WriteAsync(Partition, [Message(2, NowMs)], new SinkPosition(3), default);

        var layouts = await RowsAsync(adapter, "SELECT from_at FROM telemetry_layouts", row => row.Get<long>(0));
        Assert.That(layouts, Is.EqualTo(new[] { 0L }));
        var found = await adapter.Get<ITelemetryStore>().QueryAsync(new TelemetryRange("d"));
        Assert.That(found.Items, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Rows_that_stay_for_good_are_found_when_the_days_of_a_shorter_retention_are_gone()
    {
        using var adapter = new CassandraAdapter();
        var store = adapter.Get<ITelemetryStore>();
        await store.WriteAsync(Partition, [Message(1, NowMs)], new SinkPosition(2));
        await SeedDaysAsync(adapter, "d", "other");
        adapter.Reopen();
        store = adapter.Get<ITelemetryStore>();
        await store.WriteAsync(Partition, [Message(2, NowMs)], new SinkPosition(3));

        await Eventually.TrueAsync(async () => (await RowsAsync(adapter,
            "SELECT device FROM telemetry_days", row => row.Get<string>(0))).Contains("other") is false,
            "days with a time to live are gone");
        Assert.That((await store.QueryAsync(new TelemetryRange("d"))).Items, Has.Count.EqualTo(2));
    }

    /// <summary>As a process opens it for which the upgrade is as far as it is told.</summary>
    internal static ITelemetryStore Open(IStoreAdapter adapter, RollingUpgrade upgrade) =>
        new CassandraTelemetryStore(adapter.Get<CassandraDatabase>(), new CassandraTelemetryOptions(),
            new StoreOptions { TelemetryRetention = TimeSpan.Zero }, upgrade, TimeProvider.System,
            NullLogger<CassandraTelemetryStore>.Instance);

    /// <summary>Today as a process with a retention writes it.</summary>
    private static async Task SeedDaysAsync(CassandraAdapter adapter, params string[] devices)
    {
        foreach (var device in devices)
        {
            await adapter.Get<CassandraDatabase>().RunAsync(
                new StoreStatement("INSERT INTO telemetry_days(shard, device, day) VALUES(?, ?, ?) "
                    + "USING TIMESTAMP 0 AND TTL 3"), default, TelemetryLayout.ShardOf(device, 1_024), device,
                TelemetryDays.DayOf(NowMs));
        }
    }

    private static async Task<List<T>> RowsAsync<T>(CassandraAdapter adapter, string text, Func<Row, T> read) =>
        await adapter.Get<CassandraDatabase>().ListAsync(new StoreStatement(text), read, default);

    private static TelemetryMessage Message(long offset, long eventAtMs) => new()
    {
        DeviceId = "d",
        Partition = 2,
        Offset = offset,
        EnqueuedAtMs = NowMs,
        EventAtMs = eventAtMs,
        Properties = new Dictionary<string, string>(),
        Body = [1, 2, 3],
    };
}
