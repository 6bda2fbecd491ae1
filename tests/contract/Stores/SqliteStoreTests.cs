using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The stores on SQLite, in a folder of their own.</summary>
internal sealed class SqliteAdapter(int bodyBytesMax = 1 << 20) : IStoreAdapter
{
    private readonly TemporaryFolder _folder = new();
    private ServiceProvider? _services;

    public T Get<T>() where T : notnull => (_services ??= Open()).GetRequiredService<T>();

    public void Reopen()
    {
        _services?.Dispose();
        _services = null;
    }

    public void Dispose()
    {
        _services?.Dispose();
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
        services.Configure<StoreOptions>(o => o.RowBytesMax = new ByteSize(bodyBytesMax));
        return services.BuildServiceProvider();
    }
}

public sealed class SqliteTelemetryStoreTests : TelemetryStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter(BodyBytesMax);
}

public sealed class SqliteAlertStoreTests : AlertStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteOutputStoreTests : OutputStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteDeviceStateStoreTests : DeviceStateStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteDeadLetterStoreTests : DeadLetterStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteCheckpointStoreTests : CheckpointStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteQueryStoreTests : QueryStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteTokenStoreTests : TokenStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteAuditStoreTests : AuditStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteIdentityStoreTests : IdentityStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteSessionStoreTests : SessionStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteRetainedStoreTests : RetainedStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteBridgeStoreTests : BridgeStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}

public sealed class SqliteJobStoreTests : JobStoreContract
{
    protected override IStoreAdapter OpenEmpty() => new SqliteAdapter();
}
