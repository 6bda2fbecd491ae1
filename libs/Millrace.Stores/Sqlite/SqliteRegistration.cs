using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Stores.Alerts;
using Millrace.Stores.Audit;
using Millrace.Stores.Bridges;
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

namespace Millrace.Stores.Sqlite;

/// <summary>Every store port on SQLite, in two files of the data folder.</summary>
public static class SqliteRegistration
{
    public static IServiceCollection AddSqliteStores(this IServiceCollection services)
    {
        services.AddStoreServices();
        services.AddSingleton<SqliteDatabases>();
        services.AddSingleton<ITelemetryStore>(s => new SqliteTelemetryStore(Warm(s), Options(s)));
        services.AddSingleton<IPositionStore>(s => new SqlitePositionStore(Warm(s)));
        services.AddSingleton<IAlertStore>(s => new SqliteAlertStore(Warm(s)));
        services.AddSingleton<IOutputStore>(s => new SqliteOutputStore(Warm(s)));
        services.AddSingleton<IDeviceStateStore>(s => new SqliteDeviceStateStore(Warm(s)));
        services.AddSingleton<IDeadLetterStore>(
            s => new SqliteDeadLetterStore(Warm(s), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ICheckpointStore>(s => new SqliteCheckpointStore(Platform(s)));
        services.AddSingleton<IQueryStore>(s => new SqliteQueryStore(Platform(s), Warm(s)));
        services.AddSingleton<IBridgeStore>(s => new SqliteBridgeStore(Platform(s), Warm(s)));
        services.AddSingleton<IJobStore>(s => new SqliteJobStore(Platform(s)));
        services.AddSingleton<ITokenStore>(s => new SqliteTokenStore(Platform(s)));
        services.AddSingleton<IAuditStore>(s => new SqliteAuditStore(Platform(s)));
        services.AddSingleton<ISessionStore>(s => new SqliteSessionStore(
            Platform(s), s.GetRequiredService<IOptions<NodeOptions>>().Value.Name));
        services.AddSingleton<IUpgradeStore, SqliteUpgradeStore>();
        services.AddSingleton<IRetainedStore>(s => new SqliteRetainedStore(Platform(s)));
        services.AddSingleton<IIdentityStore>(s => SqliteIdentityStore.Open(
            Platform(s), Options(s).DeviceKeyFile ?? DeviceKeyFile.Default(s.GetRequiredService<DataFolder>()),
            Options(s).OtherDeviceKeyFile));
        return services;
    }

    private static StoreOptions Options(IServiceProvider services) =>
        services.GetRequiredService<IOptions<StoreOptions>>().Value;

    private static SqliteDatabase Warm(IServiceProvider services) =>
        services.GetRequiredService<SqliteDatabases>().Warm;

    private static SqliteDatabase Platform(IServiceProvider services) =>
        services.GetRequiredService<SqliteDatabases>().Platform;
}

/// <summary>The two files: what the log can give again, and what nothing else holds.</summary>
internal sealed class SqliteDatabases : IDisposable
{
    public SqliteDatabases(DataFolder folder, IOptions<StoreOptions> options, TimeProvider time)
    {
        var lockTimeout = options.Value.LockTimeoutSeconds;
        Warm = new SqliteDatabase(folder.WarmDatabase, durable: false, lockTimeout, Schemas.Warm, time);
        Platform = new SqliteDatabase(folder.PlatformDatabase, durable: true, lockTimeout, Schemas.Platform, time);
    }

    public SqliteDatabase Warm { get; }

    public SqliteDatabase Platform { get; }

    public void Dispose()
    {
        Warm.Dispose();
        Platform.Dispose();
    }
}
