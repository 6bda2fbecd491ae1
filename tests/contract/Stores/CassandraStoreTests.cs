using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Cql;
using Millrace.Hosting;
using Millrace.Stores;
using Millrace.Stores.Cassandra;
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
    private readonly Action<StoreOptions>? _change;
    private readonly Action<CassandraOptions>? _changeCassandra;
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
        services.AddSingleton(TimeProvider.System);
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
