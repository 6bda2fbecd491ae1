using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.ObjectStore;

namespace Millrace.TestKit.ObjectStores;

public static class TestObjectStores
{
    /// <summary>The store of files that the platform has, in this data folder.</summary>
    public static IObjectStore Files(string dataFolder) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddSingleton(TimeProvider.System)
        .AddSingleton(new DataFolder(dataFolder))
        .AddFileObjectStore()
        .BuildServiceProvider()
        .GetRequiredService<IObjectStore>();
}
