using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Stores.Alerts;
using Millrace.Stores.Audit;
using Millrace.Stores.Bridges;
using Millrace.Stores.Cassandra.Alerts;
using Millrace.Stores.Cassandra.Audit;
using Millrace.Stores.Cassandra.Bridges;
using Millrace.Stores.Cassandra.Checkpoints;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.DeadLetters;
using Millrace.Stores.Cassandra.DeviceStates;
using Millrace.Stores.Cassandra.Identities;
using Millrace.Stores.Cassandra.Jobs;
using Millrace.Stores.Cassandra.Outputs;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Cassandra.Queries;
using Millrace.Stores.Cassandra.Repairs;
using Millrace.Stores.Cassandra.Retained;
using Millrace.Stores.Cassandra.Sessions;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Cassandra.Upgrades;
using Millrace.Stores.Cassandra.Users;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;
using Millrace.Stores.Jobs;
using Millrace.Stores.Outputs;
using Millrace.Stores.Positions;
using Millrace.Stores.Queries;
using Millrace.Stores.Retained;
using Millrace.Stores.Sessions;
using Millrace.Stores.Telemetry;
using Millrace.Stores.Upgrades;
using Millrace.Stores.Users;

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
        services.AddStoreServices();
        services.AddSingleton(provider => new CassandraConnector(
            provider.GetRequiredService<IOptions<CassandraOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IAwaitedServer>(provider => provider.GetRequiredService<CassandraConnector>());
        services.AddSingleton<CassandraDatabase>();
        services.AddHostedService<RepairWatch>();
        services.AddSingleton<ITelemetryStore>(s => new CassandraTelemetryStore(Database(s), Telemetry(s), Options(s),
            Upgrades(s), Time(s), s.GetRequiredService<ILogger<CassandraTelemetryStore>>()));
        services.AddSingleton<IPositionStore>(s => new CassandraPositionStore(
            Database(s), Telemetry(s), Upgrades(s), Time(s)));
        services.AddSingleton<IAlertStore>(s => new CassandraAlertStore(Database(s), Options(s), Time(s)));
        services.AddSingleton<IOutputStore>(s => new CassandraOutputStore(Database(s), Options(s), Time(s)));
        services.AddSingleton<IDeviceStateStore>(s => new CassandraDeviceStateStore(Database(s)));
        services.AddSingleton<IDeadLetterStore>(s => new CassandraDeadLetterStore(Database(s), Upgrades(s), Time(s)));
        services.AddSingleton<ICheckpointStore>(s => new CassandraCheckpointStore(Database(s)));
        services.AddSingleton<IQueryStore>(s => new CassandraQueryStore(Database(s)));
        services.AddSingleton<IBridgeStore>(s => new CassandraBridgeStore(Database(s), Time(s)));
        services.AddSingleton<IJobStore>(s => new CassandraJobStore(Database(s)));
        services.AddSingleton<ITokenStore>(s => new CassandraTokenStore(Database(s)));
        services.AddSingleton<IAuditStore>(s => new CassandraAuditStore(Database(s), Time(s)));
        services.AddSingleton<ISessionStore>(s => new CassandraSessionStore(
            Database(s), s.GetRequiredService<IOptions<NodeOptions>>().Value.Name));
        services.AddSingleton<IUpgradeStore>(s => new CassandraUpgradeStore(s.GetRequiredService<CassandraConnector>(),
            Time(s), s.GetRequiredService<ILogger<CassandraUpgradeStore>>()));
        services.AddSingleton<IRetainedStore>(s => new CassandraRetainedStore(Database(s)));
        services.AddSingleton(s => new DeviceKeys(Database(s),
            Options(s).DeviceKeyFile ?? DeviceKeyFile.Default(s.GetRequiredService<DataFolder>()),
            Options(s).OtherDeviceKeyFile, Time(s)));
        services.AddSingleton<IAwaitedServer>(s => s.GetRequiredService<DeviceKeys>());
        services.AddSingleton<IIdentityStore>(
            s => new CassandraIdentityStore(Database(s), s.GetRequiredService<DeviceKeys>()));
        return services;
    }

    private static CassandraDatabase Database(IServiceProvider services) =>
        services.GetRequiredService<CassandraDatabase>();

    private static StoreOptions Options(IServiceProvider services) =>
        services.GetRequiredService<IOptions<StoreOptions>>().Value;

    private static CassandraTelemetryOptions Telemetry(IServiceProvider services) =>
        services.GetRequiredService<IOptions<CassandraOptions>>().Value.Telemetry;

    private static IUpgradeStore Upgrades(IServiceProvider services) => services.GetRequiredService<IUpgradeStore>();

    private static TimeProvider Time(IServiceProvider services) => services.GetRequiredService<TimeProvider>();
}
