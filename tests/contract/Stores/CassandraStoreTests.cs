using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Hosting;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.Bridges;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Outputs;
using Millrace.Stores.Users;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>
/// The stores on a Cassandra node, in one keyspace for all tests of a run: making its tables takes longer than emptying
/// those that were used.
/// </summary>
internal sealed class CassandraAdapter : IStoreAdapter
{
    public const string Keyspace = "stores_tests";

    private static readonly Lazy<Task<CqlSession>> Cleaner = new(OpenCleanerAsync);

    private readonly TemporaryFolder _folder = new();
    private readonly Action<CassandraOptions>? _changeCassandra;
    private Action<StoreOptions>? _change;
    private TimeProvider _time = TimeProvider.System;
    private ServiceProvider? _services;

    public CassandraAdapter(Action<StoreOptions>? change = null, Action<CassandraOptions>? changeCassandra = null)
    {
        (_change, _changeCassandra) = (change, changeCassandra);
        var session = Cleaner.Value.GetAwaiter().GetResult();
        EmptyAsync(session).GetAwaiter().GetResult();
    }

    public T Get<T>() where T : notnull => (_services ??= Open()).GetRequiredService<T>();

    public void Reopen()
    {
        _services?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _services = null;
    }

    /// <summary>As another process opens them.</summary>
    public void Reopen(Action<StoreOptions> change)
    {
        Reopen();
        _change = change;
    }

    /// <summary>As a process with another clock opens them.</summary>
    public void Reopen(TimeProvider time)
    {
        Reopen();
        _time = time;
    }

    public void Dispose()
    {
        Reopen();
        _folder.Dispose();
    }

    private static async Task<CqlSession> OpenCleanerAsync()
    {
        await CassandraNode.MakeKeyspaceAsync(Keyspace);
        return await CassandraNode.ConnectNowAsync(o => o.Keyspace = Keyspace);
    }

    private static async Task EmptyAsync(CqlSession session)
    {
        var tables = await session.ExecuteAsync(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", Keyspace);
        var names = tables.Select(row => row.Get<string>(0)).Where(name => !name.StartsWith("migration"));
        await Task.WhenAll(names.Select(async name =>
        {
            if ((await session.ExecuteAsync($"SELECT * FROM {name} LIMIT 1")).Count > 0)
                await session.ExecuteAsync($"TRUNCATE {name}");
        }));
    }

    private ServiceProvider Open()
    {
        var servers = CassandraNode.ServersAsync().GetAwaiter().GetResult();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddSingleton(_time);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddCassandraOptions();
        services.AddCassandraStores();
        services.Configure<CassandraOptions>(o =>
        {
            (o.ContactPoints, o.Port, o.Keyspace) = (servers.ContactPoints, servers.Port, Keyspace);
            o.RequestTimeout = TimeSpan.FromMinutes(1);
            _changeCassandra?.Invoke(o);
        });
        services.Configure<StoreOptions>(o =>
        {
            o.Kind = StoreKind.Cassandra;

            // The suites write rows of a past that is long over.
            (o.TelemetryRetention, o.AlertRetention, o.OutputRetention) = (default, default, default);
            _change?.Invoke(o);
        });
        return services.BuildServiceProvider();
    }
}

public sealed class CassandraAlertStoreTests : AlertStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    /// <summary>They go by themselves, at their age, and one that is too old is not kept at all.</summary>
    [Test]
    public override async Task Old_rows_expire_however_many_they_are()
    {
        var keep = TimeSpan.FromHours(1);
        using var adapter = new CassandraAdapter(o => o.AlertRetention = keep);
        var store = adapter.Get<IAlertStore>();
        var (now, soon) = (DateTimeOffset.UtcNow, DateTimeOffset.UtcNow - keep + TimeSpan.FromSeconds(2));
        var times = new[] { now, soon, now - keep - TimeSpan.FromDays(1) };
        var rows = Enumerable.Range(0, 900).Select(i => new AlertRow(
            $"r{i}", "q", 1, "d", AlertSeverity.Warning, "hot", times[i % 3], "{}")).ToList();
        await store.WriteAsync(Partition(0), rows, new SinkPosition(900));
        Assert.That(await store.CountAsync(), Is.LessThanOrEqualTo(600));

        // A row has its age in each table, counted from when it was written there.
        List<AlertRow> left = [];
        await Eventually.TrueAsync(async () =>
        {
            left = await AllAsync(200, token => store.QueryAsync(
                new AlertFilter("d", Limit: 200, Continuation: token)));
            return left.Count == 300 && await store.CountAsync() == 300;
        }, "the second third expires", TimeSpan.FromSeconds(20));
        Assert.That(left, Is.EquivalentTo(rows.Where(row => row.At == now)));
        Assert.That(await store.ExpireAsync(now), Is.Zero);
    }
}

public sealed class CassandraOutputStoreTests : OutputStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    /// <summary>They go by themselves, at their age.</summary>
    [Test]
    public override async Task Old_rows_of_every_output_expire()
    {
        var keep = TimeSpan.FromHours(1);
        using var adapter = new CassandraAdapter(o => o.OutputRetention = keep);
        var store = adapter.Get<IOutputStore>();
        var (now, soon) = (DateTimeOffset.UtcNow, DateTimeOffset.UtcNow - keep + TimeSpan.FromSeconds(2));
        var rows = Enumerable.Range(0, 60).Select(
            i => new OutputRow($"r{i}", $"o{i % 3}", "q", 1, i < 30 ? now : soon, "{}")).ToList();
        await store.WriteAsync(Partition(0), rows, new SinkPosition(60));

        foreach (var output in new[] { "o0", "o1", "o2" })
        {
            await Eventually.TrueAsync(
                async () => (await store.QueryAsync(output, null, null, 100, null)).Items.Count == 10,
                $"old rows of {output} expire", TimeSpan.FromSeconds(20));
        }

        Assert.That(await store.ExpireAsync(now), Is.Zero);
    }
}

public sealed class CassandraDeviceStateStoreTests : DeviceStateStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraDeadLetterStoreTests : DeadLetterStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    [Test]
    public async Task What_is_to_be_replayed_is_found_without_a_walk_also_when_an_older_version_asked()
    {
        using var adapter = new CassandraAdapter();
        var (store, database) = (adapter.Get<IDeadLetterStore>(), adapter.Get<CassandraDatabase>());
        await store.WriteAsync(Partition(0), [.. Enumerable.Range(0, 5).Select(i => Letter(i))], new SinkPosition(5));
        var (older, asked) = (Letter(1).Id, Letter(2).Id);
        await database.RunAsync(
            new StoreStatement("UPDATE dead_letters SET state = 1, replays = 1 WHERE id = ? IF EXISTS"),
            default, older);
        Assert.That(await AskedAsync(), Is.EqualTo(new[] { older }));

        // Whoever walks finds none from now on.
        await database.RunAsync(new StoreStatement("TRUNCATE dead_letters_rows"), default);
        await store.SetStateAsync(asked, DeadLetterState.Replaying);
        Assert.That(await AskedAsync(), Is.EquivalentTo(new[] { older, asked }));
        await store.SetStateAsync(older, DeadLetterState.Replayed);
        await store.WriteAsync(Partition(0), [Letter(2) with { LastFailedAt = Noon.AddHours(1) }], new SinkPosition(6));
        Assert.That(await RowsAsync(), Is.Zero);

        // One that died in between has said too much.
        await database.RunAsync(new StoreStatement(
            "INSERT INTO dead_letters_asked(shard, id, replays, failed_at) VALUES(0, ?, 1, 0)"), default, asked);
        Assert.That(await AskedAsync(), Is.Empty);
        Assert.That(await store.SetStateAsync(asked, DeadLetterState.Replaying), Is.True);
        Assert.That(await AskedAsync(), Is.EqualTo(new[] { asked }));

        async Task<IEnumerable<string>> AskedAsync() => (await store.ListAsync(
            new DeadLetterFilter(State: DeadLetterState.Replaying))).Items.Select(letter => letter.Id);

        async Task<long> RowsAsync() => await database.FirstAsync(
            new StoreStatement("SELECT count(*) FROM dead_letters_asked"), row => row.Get<long>(0), default);
    }
}

public sealed class CassandraQueryStoreTests : QueryStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraTokenStoreTests : TokenStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    [Test]
    public async Task A_token_of_a_process_whose_clock_is_ahead_is_replaced_and_revoked_by_others()
    {
        using var adapter = new CassandraAdapter();
        var ahead = new ShiftedTime();
        ahead.Move(TimeSpan.FromHours(1));
        adapter.Reopen(ahead);
        await adapter.Get<ITokenStore>().SaveAsync(new ApiToken("ahead", "ci", "OLD", ["read"], Noon, null));
        adapter.Reopen(TimeProvider.System);
        var store = adapter.Get<ITokenStore>();

        await store.SaveAsync(new ApiToken("ahead", "ci", "NEW", ["read"], Noon, null));
        Assert.That(await store.FindBySha256Async("OLD"), Is.Null);
        Assert.That((await store.FindBySha256Async("NEW"))!.Id, Is.EqualTo("ahead"));

        Assert.That(await store.DeleteAsync("ahead"), Is.True);
        Assert.That(await store.FindBySha256Async("NEW"), Is.Null);
        Assert.That(await store.ListAsync(), Is.Empty);
    }
}

public sealed class CassandraAuditStoreTests : AuditStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraBridgeStoreTests : BridgeStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();

    [Test]
    public async Task A_session_of_a_gateway_whose_clock_is_ahead_goes_on_at_another()
    {
        using var adapter = new CassandraAdapter();
        var ahead = new ShiftedTime();
        ahead.Move(TimeSpan.FromHours(1));
        adapter.Reopen(ahead);
        await adapter.Get<IBridgeStore>().SaveSessionAsync(Session("a", "ahead", 7));
        adapter.Reopen(TimeProvider.System);
        var store = adapter.Get<IBridgeStore>();

        Assert.That((await store.FindSessionAsync("plant", "a"))!.SessionId, Is.EqualTo("ahead"));
        foreach (var next in new[] { 8L, 9L })
        {
            await store.SaveSessionAsync(Session("a", "right", next));
            var found = (await store.FindSessionAsync("plant", "a"))!;
            Assert.That((found.SessionId, found.NextExchange), Is.EqualTo(("right", next)));
        }
    }
}

public sealed class CassandraCheckpointStoreTests : CheckpointStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraIdentityStoreTests : IdentityStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraRetainedStoreTests : RetainedStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraSessionStoreTests : SessionStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}

public sealed class CassandraJobStoreTests : JobStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new CassandraAdapter();
}
