using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Stores.Queries;
using Millrace.Stores.Sqlite;
using Millrace.StreamProcessor;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>
/// The queries of a stream processor as the platform runs them, from Kafka to Kafka; checkpoints are in SQLite. The
/// warm writer, which reads the same, is left out.
/// </summary>
internal sealed class ProcessorRun : IAsyncDisposable
{
    private static readonly string[] Started = ["HubTopics", "ControlWatch", "QueryHost"];

    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _started = [];

    public ProcessorRun(KafkaLogOptions kafka, int partitions)
    {
        var settings = new Dictionary<string, string?>
        {
            ["EventLog:Partitions"] = $"{partitions}",
            ["EventLog:Kafka:BootstrapServers"] = kafka.BootstrapServers,
            ["EventLog:Kafka:Prefix"] = kafka.Prefix,
            ["EventLog:Kafka:Topics:ReplicationFactor"] = $"{kafka.Topics.ReplicationFactor}",
            ["EventLog:Kafka:Topics:InSyncReplicasMin"] = $"{kafka.Topics.InSyncReplicasMin}",
            ["StreamProcessor:ReconcileInterval"] = "500ms",
            ["Node:Name"] = "bench",
        };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder.Path));
        services.AddKafkaLogOptions();
        services.AddKafkaEventLog();
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddSqliteStores();
        services.AddFileObjectStore();
        services.AddMillraceStreamProcessor();
        _services = services.BuildServiceProvider();
    }

    public IEventLog Log => _services.GetRequiredService<IEventLog>();

    public async Task StartAsync()
    {
        foreach (var name in Started)
        {
            var service = _services.GetServices<IHostedService>().Single(one => one.GetType().Name == name);
            if (service is IHostedLifecycleService lifecycle) await lifecycle.StartingAsync(default);
            await service.StartAsync(default);
            _started.Add(service);
        }
    }

    /// <summary>The query begins at the first record.</summary>
    public async Task ApplyAsync(string name, string text)
    {
        var now = TimeProvider.System.GetUtcNow();
        await _services.GetRequiredService<IQueryStore>().SaveAsync(new QueryConfig
        {
            Name = name,
            Version = 1,
            Text = text,
            Options = new QueryOptions { StartFrom = "earliest" },
            CreatedAt = now,
            UpdatedAt = now,
        }, expectedVersion: 0);
    }

    public async Task DeleteAsync(string name) =>
        await _services.GetRequiredService<IQueryStore>().DeleteAsync(name, version: 1);

    /// <summary>The rows of an output, one call each.</summary>
    public async Task ReadRowsAsync(string output, Action<RecordView> row)
    {
        for (var p = 0; p < Log.FindTopic(Topics.Output(output))!.Partitions; p++)
        {
            var partition = new TopicPartition(Topics.Output(output), p);
            var end = (await Log.RangeAsync(partition)).Next;
            await using var reader = Log.OpenReader(partition, 0);
            while (reader.Position < end) Tell(await reader.ReadAsync());
        }

        void Tell(RecordBatch batch)
        {
            foreach (var record in batch)
            {
                if (record.TryGetHeader(OutputHeaders.RowId, out _)) row(record);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_started)) await service.StopAsync(default);
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}
