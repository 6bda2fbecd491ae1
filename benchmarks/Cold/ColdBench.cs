using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.ColdPath;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Cold;

/// <summary>The archive, and the engines over it.</summary>
internal sealed class ColdBench : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<ServiceProvider> _services = [];
    private readonly IObjectStore _store;
    private SparkServers? _servers;

    private ColdBench() => _store = TestObjectStores.Files(_folder.Path);

    /// <summary>DuckDB with the archive in local files.</summary>
    public ServiceProvider DuckDb { get; private set; } = null!;

    /// <summary>Spark over the same files; null when there is none.</summary>
    public ServiceProvider? Spark { get; private set; }

    public static async Task<ColdBench> OpenAsync()
    {
        var bench = new ColdBench();
        await FleetArchive.WriteAsync(bench._store);
        bench.DuckDb = bench.Open([], bench._store, services => services.AddDuckDbBatch());
        (bench._servers, _) = await SparkServers.FindAsync();
        if (bench._servers is null) return bench;
        var settings = new Dictionary<string, string?>
        {
            ["Batch:Kind"] = "Spark",
            ["Spark:Remote"] = bench._servers.Remote,
        };
        bench.Spark = bench.Open(settings, bench._store, services => services.AddSparkBatch());
        return bench;
    }

    /// <summary>DuckDB over a store without local files, with an empty cache; the store counts what is read.</summary>
    public (IBatchEngine Engine, RemoteObjectStore Store) OpenRemote()
    {
        var store = new RemoteObjectStore(_store);
        var settings = new Dictionary<string, string?>
        {
            ["Batch:CacheFolder"] = _folder.Sub($"cache-{_services.Count}"),
        };
        return (EngineOf(Open(settings, store, services => services.AddDuckDbBatch())), store);
    }

    public static IBatchEngine EngineOf(ServiceProvider services) => services.GetRequiredService<IBatchEngine>();

    /// <summary>Milliseconds until the last row is there, and how many there are.</summary>
    public static async Task<(double Ms, long Rows)> TimeAsync(IBatchEngine engine, BatchQuery query)
    {
        var startedAt = Stopwatch.GetTimestamp();
        var rows = 0L;
        await using (var result = await engine.QueryAsync(query))
            await foreach (var batch in result.Batches) rows += batch.Length;
        return (Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds, rows);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var services in _services) await services.DisposeAsync();
        if (_servers is not null) await _servers.DisposeAsync();
        _folder.Dispose();
    }

    private ServiceProvider Open(
        Dictionary<string, string?> settings, IObjectStore store, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddSingleton(store)
            .AddLogging()
            .AddBatchOptions()
            .AddMillraceColdPath();
        add(services);
        _services.Add(services.BuildServiceProvider());
        return _services[^1];
    }
}
