using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Hosting;
using Millrace.Stores.Sqlite;

namespace Millrace.Stores.Tests;

/// <summary>The SQLite stores as a process has them, on a folder that outlives them.</summary>
internal static class StoreHost
{
    public static IHost Open(string folder, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
            settings.Select(s => KeyValuePair.Create("Stores:" + s.Key, (string?)s.Value)));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new DataFolder(folder));
        builder.Services.AddSqliteStores();
        return builder.Build();
    }

    public static T Get<T>(this IHost host) where T : notnull => host.Services.GetRequiredService<T>();
}
