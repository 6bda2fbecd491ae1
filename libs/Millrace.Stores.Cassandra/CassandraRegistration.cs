using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Health;
using Millrace.Hosting.Options;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;
using Millrace.Stores.Telemetry;

namespace Millrace.Stores.Cassandra;

/// <summary>The store ports on a Cassandra cluster, in a keyspace of the hub's own.</summary>
public static class CassandraRegistration
{
    /// <summary>The options in section Cassandra, which mean something when Stores:Kind says so.</summary>
    public static IServiceCollection AddCassandraOptions(this IServiceCollection services)
    {
        services.AddValidatedOptions<CassandraOptions>("Cassandra");
        services.AddSingleton<IValidateOptions<CassandraOptions>, CassandraOptionsValidator>();
        return services;
    }

    /// <summary>Needs <see cref="AddCassandraOptions"/> and a <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddCassandraStores(this IServiceCollection services)
    {
        services.AddStoreOptions();
        services.AddSingleton(provider => new CassandraConnector(
            provider.GetRequiredService<IOptions<CassandraOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IAwaitedServer>(provider => provider.GetRequiredService<CassandraConnector>());
        services.AddSingleton<CassandraDatabase>();
        services.AddSingleton<ITelemetryStore>(provider => new CassandraTelemetryStore(
            provider.GetRequiredService<CassandraDatabase>(),
            provider.GetRequiredService<IOptions<CassandraOptions>>().Value.Telemetry,
            provider.GetRequiredService<IOptions<StoreOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<CassandraTelemetryStore>>()));
        services.AddSingleton<IPositionStore>(provider => new CassandraPositionStore(
            provider.GetRequiredService<CassandraDatabase>(),
            provider.GetRequiredService<IOptions<CassandraOptions>>().Value.Telemetry));
        return services;
    }
}
