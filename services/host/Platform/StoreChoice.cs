using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Gateway;
using Millrace.Stores;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Sqlite;

namespace Millrace.Platform;

/// <summary>The stores that the configuration asks for.</summary>
internal static class StoreChoice
{
    /// <summary>Comes before the gateway: what it sets for that gives way to what the configuration says.</summary>
    public static IServiceCollection AddStores(this IServiceCollection services, IConfiguration configuration)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddCassandraOptions();
        var isCassandra = Enum.TryParse<StoreKind>(configuration["Stores:Kind"], ignoreCase: true, out var kind)
            && kind == StoreKind.Cassandra;
        if (!isCassandra) return services.AddSqliteStores();
        services.AddSingleton<IConfigureOptions<GatewayOptions>, StoredRates>();
        services.AddSingleton<IValidateOptions<CassandraOptions>, StoredRates>();
        return services.AddCassandraStores();
    }
}
