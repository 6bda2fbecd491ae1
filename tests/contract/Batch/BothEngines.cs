using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.Hosting.Health;
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

    /// <param name="isS3">The archive is in a bucket, and not in a folder.</param>
    public static async Task<BothEngines> OpenAsync(bool isS3 = false)
    {
        var both = new BothEngines();
        var settings = isS3 ? await BucketAsync() : [];
        both.DuckDb = await both.AddAsync(settings, services => services.AddDuckDbBatch());
        settings["Batch:Kind"] = "Spark";
        settings["Spark:Remote"] = (await SparkNode.ServersAsync()).Remote;
        both.Spark = await both.AddAsync(settings, services => services.AddSparkBatch());
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

    /// <summary>A bucket of its own, which Spark sees too.</summary>
    private static async Task<Dictionary<string, string?>> BucketAsync()
    {
        var s3 = await SparkNode.S3Async();
        var bucket = $"batch-{Guid.NewGuid():N}";
        var settings = s3.Settings(bucket);
        settings["ObjectStore:S3:Prefix"] = "hub/one";
        settings["Spark:ArchiveRoot"] = $"s3a://{bucket}/hub/one";
        return settings;
    }

    private async Task<IBatchEngine> AddAsync(Dictionary<string, string?> settings, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddLogging()
            .AddBatchOptions();
        if (settings.ContainsKey("ObjectStore:Kind")) services.AddS3Options().AddS3ObjectStore();
        else services.AddFileObjectStore();
        add(services);
        _services.Add(services.BuildServiceProvider());
        foreach (var server in _services[^1].GetServices<IAwaitedServer>())
            await server.AnswersAsync(CancellationToken.None);
        return _services[^1].GetRequiredService<IBatchEngine>();
    }
}
