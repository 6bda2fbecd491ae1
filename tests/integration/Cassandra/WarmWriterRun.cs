using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Cql;
using Millrace.EventLog;
using Millrace.EventLog.Retention;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Stores.Alerts;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Positions;
using Millrace.Stores.Telemetry;
using Millrace.StreamProcessor;
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// The stores on Cassandra as a process of the platform has them, with a session of its own; and its warm writer, when
/// it is started.
/// </summary>
internal sealed class WarmWriterRun : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _started = [];

    public WarmWriterRun(WarmLog log, IServerSet servers, TimeProvider? time = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(
            new ConfigurationBuilder().AddInMemoryCollection(Settings(servers)!).Build());
        services.AddLogging();
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddSingleton(new DataFolder(log.Folder));
        services.AddSingleton(log.Log);
        services.AddSingleton<IEventLog>(log.Log);
        services.AddSingleton<IRetainedLog>(log.Log);
        services.AddEventLogServices();
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddCassandraOptions();
        services.AddCassandraStores();
        services.AddFileObjectStore();
        services.AddMillraceStreamProcessor();
        _services = services.BuildServiceProvider();
    }

    public ITelemetryStore Telemetry => _services.GetRequiredService<ITelemetryStore>();

    public IPositionStore Positions => _services.GetRequiredService<IPositionStore>();

    public IAlertStore Alerts => _services.GetRequiredService<IAlertStore>();

    public ICheckpointStore Checkpoints => _services.GetRequiredService<ICheckpointStore>();

    private CassandraConnector Connector => _services.GetRequiredService<CassandraConnector>();

    public static Dictionary<string, string> Settings(IServerSet servers) => new()
    {
        ["EventLog:Partitions"] = $"{WarmLog.Partitions}",
        ["Node:Name"] = "writer",

        // A log on a disk has no clock but its process's, and there are writers here whose clocks are hours behind.
        ["EventLog:TimeAheadMax"] = "6h",
        ["Cassandra:Telemetry:ChangeLead"] = "7h",
        ["Stores:Kind"] = "Cassandra",
        ["Cassandra:ContactPoints"] = servers.Variables["CASSANDRA_CONTACT_POINTS"],
        ["Cassandra:Port"] = servers.Variables["CASSANDRA_PORT"],
        ["StreamProcessor:Position"] = "at",
        ["StreamProcessor:RestartDelayMax"] = "1s",
    };

    public ValueTask<CqlSession> SessionAsync() => Connector.SessionAsync(default);

    /// <summary>Starts the warm writer.</summary>
    public async Task StartAsync()
    {
        foreach (var name in new[] { "HubTopics", "WarmWriterService" })
        {
            var service = _services.GetServices<IHostedService>().Single(one => one.GetType().Name == name);
            if (service is IHostedLifecycleService lifecycle) await lifecycle.StartingAsync(default);
            await service.StartAsync(default);
            _started.Add(service);
        }
    }

    /// <summary>Ends the session under the writer's hands.</summary>
    public ValueTask CutAsync() => Connector.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_started)) await service.StopAsync(default);
        await _services.DisposeAsync();
    }
}
