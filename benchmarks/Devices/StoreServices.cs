using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Devices;

/// <summary>The stores as a process has them: SQLite in a folder of their own, or what the settings say.</summary>
internal sealed class StoreServices : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;

    public StoreServices(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [.. settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))]).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddCassandraOptions();
        if (configuration["Stores:Kind"] == "Cassandra") services.AddCassandraStores();
        else services.AddSqliteStores();
        _services = services.BuildServiceProvider();
    }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}
