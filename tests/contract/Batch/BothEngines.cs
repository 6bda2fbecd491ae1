using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>DuckDB and Spark over the same archive.</summary>
internal sealed class BothEngines : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<ServiceProvider> _services = [];

    private BothEngines()
    {
    }

    public IBatchEngine DuckDb { get; private set; } = null!;

    public IBatchEngine Spark { get; private set; } = null!;

    public IObjectStore Store { get; private set; } = null!;

    public static async Task<BothEngines> OpenAsync()
    {
        var both = new BothEngines();
        var remote = (await SparkNode.ServersAsync()).Remote;
        both.DuckDb = both.Add(new(), services => services.AddDuckDbBatch());
        both.Spark = both.Add(new() { ["Batch:Kind"] = "Spark", ["Spark:Remote"] = remote },
            services => services.AddSparkBatch());
        both.Store = both._services[0].GetRequiredService<IObjectStore>();
        return both;
    }

    /// <summary>What each gives, sorted unless the statement says an order.</summary>
    public async Task<(List<string> DuckDb, List<string> Spark)> RowsAsync(BatchQuery query, bool isOrdered)
    {
        var rows = new List<List<string>>();
        foreach (var engine in new[] { DuckDb, Spark })
        {
            await using var result = await engine.QueryAsync(query);
            var found = await ArrowText.RowsAsync(result);
            if (!isOrdered) found.Sort(StringComparer.Ordinal);
            found.Insert(0, string.Join('|', result.Schema.FieldsList.Select(field => field.Name)));
            rows.Add(found);
        }

        return (rows[0], rows[1]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var services in _services) await services.DisposeAsync();
        _folder.Dispose();
    }

    private IBatchEngine Add(Dictionary<string, string?> settings, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddFileObjectStore()
            .AddBatchOptions();
        add(services);
        _services.Add(services.BuildServiceProvider());
        return _services[^1].GetRequiredService<IBatchEngine>();
    }
}
