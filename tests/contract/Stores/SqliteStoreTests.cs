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

    [Test]
    public async Task A_device_that_is_made_anew_has_the_latest_of_its_past_whatever_else_is_written_with_it()
    {
        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);
        await Store.WriteAsync(Partition(2), [
            Sent("d", 6_000, "g2") with { EventAtMs = 2_000 }, Sent("d", 6_001, "g2") with { EventAtMs = 3_000 },
            Sent("d", 6_002, "g1") with { EventAtMs = 4_000 }], new SinkPosition(6_003));
        Assert.That((await Store.LatestAsync("d"))!.Offset, Is.EqualTo(6_001));
    }
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
