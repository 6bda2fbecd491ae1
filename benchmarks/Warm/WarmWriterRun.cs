using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Telemetry;
using Millrace.StreamProcessor;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Warm;

/// <summary>The warm writer as it runs in the platform, from the local log into Cassandra.</summary>
internal sealed class WarmWriterRun : IAsyncDisposable
{
    private const int Partitions = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _started = [];
    private readonly byte[] _body = new byte[120];

    public WarmWriterRun(int port)
    {
        var settings = new Dictionary<string, string?>
        {
            ["EventLog:Partitions"] = $"{Partitions}",
            ["Node:Name"] = "bench",
            ["Stores:Kind"] = "Cassandra",
            ["Cassandra:ContactPoints"] = "127.0.0.1",
            ["Cassandra:Port"] = $"{port}",
            ["Cassandra:ReplicationFactor"] = "1",
            ["Cassandra:RequestTimeout"] = "1m",
        };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddLocalEventLog();
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddCassandraOptions();
        services.AddCassandraStores();
        services.AddFileObjectStore();
        services.AddMillraceStreamProcessor();
        _services = services.BuildServiceProvider();
        new Random(5).NextBytes(_body);
    }

    private IEventLog Log => _services.GetRequiredService<IEventLog>();

    public Task StartTopicsAsync() => StartAsync("HubTopics");

    public Task StartWriterAsync() => StartAsync("WarmWriterService");

    /// <summary>A row of each device.</summary>
    public async Task AppendAsync(int devices)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var ofPartition = Enumerable.Range(0, devices).Select(i => Encoding.UTF8.GetBytes($"device-{i}"))
            .ToLookup(device => Partitioner.PartitionOf(device, Partitions));
        foreach (var partition in ofPartition)
        {
            using var records = new RecordBatchBuilder();
            foreach (var device in partition)
            {
                records.Begin(now, device, hasKey: true);
                records.End(_body);
            }

            await Log.AppendAsync(new TopicPartition(Topics.Telemetry, partition.Key), records);
        }
    }

    /// <summary>Returns when all that stands in the log is stored.</summary>
    public async Task StoredAsync()
    {
        var store = _services.GetRequiredService<ITelemetryStore>();
        for (var p = 0; p < Partitions; p++)
        {
            var partition = new TopicPartition(Topics.Telemetry, p);
            var end = (await Log.RangeAsync(partition)).Next;
            while ((await store.PositionAsync(partition))?.NextOffset != end)
                await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_started)) await service.StopAsync(default);
        await _services.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartAsync(string name)
    {
        var service = _services.GetServices<IHostedService>().Single(one => one.GetType().Name == name);
        if (service is IHostedLifecycleService lifecycle) await lifecycle.StartingAsync(default);
        await service.StartAsync(default);
        _started.Add(service);
    }
}
