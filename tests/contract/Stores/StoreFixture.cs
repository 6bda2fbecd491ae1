using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The stores of one adapter on data of their own; they can be closed and opened again.</summary>
public sealed class StoreFixture : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private ServiceProvider _services;

    public StoreFixture() => _services = Open();

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public void Reopen()
    {
        _services.Dispose();
        _services = Open();
    }

    public void Dispose()
    {
        _services.Dispose();
        _folder.Dispose();
    }

    private ServiceProvider Open()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddSqliteStores();
        return services.BuildServiceProvider();
    }
}
