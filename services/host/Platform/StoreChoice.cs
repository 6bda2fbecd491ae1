using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Stores;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Sqlite;

namespace Millrace.Platform;

/// <summary>The stores that the configuration asks for.</summary>
internal static class StoreChoice
{
    public static IServiceCollection AddStores(this IServiceCollection services, IConfiguration configuration)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddCassandraOptions();
        var isCassandra = Enum.TryParse<StoreKind>(configuration["Stores:Kind"], ignoreCase: true, out var kind)
            && kind == StoreKind.Cassandra;
        return isCassandra ? services.AddCassandraStores() : services.AddSqliteStores();
    }
}
