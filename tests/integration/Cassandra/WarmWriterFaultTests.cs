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
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>The warm writer while its only node dies, hangs and comes back.</summary>
[Category("Faults")]
public class WarmWriterFaultTests
{
    private const int Partitions = 4;
    private const int Devices = 200;

    [Test]
    public async Task What_the_log_has_is_stored_once_whatever_becomes_of_the_node()
    {
        await using var set = await ServerSets.StartAsync("cassandra");
        if (set is null) Assert.Ignore(ServerSets.Missing("Cassandra"));
        using var folder = new TemporaryFolder();
        await using var services = Build(folder.Path, int.Parse(set!.Variables["CASSANDRA_PORT"]));
        var log = services.GetRequiredService<IEventLog>();
        var store = services.GetRequiredService<ITelemetryStore>();
        List<IHostedService> started = [await StartAsync(services, "HubTopics")];
        started.Add(await StartAsync(services, "WarmWriterService"));

        var appended = await AppendAsync(log, rounds: 20, first: 0);
        await StoredAsync(log, store);
        using var stop = new CancellationTokenSource();
        var appending = Task.Run(async () =>
        {
            var rows = 0;
            for (var round = 20; !stop.IsCancellationRequested; round++) rows += await AppendAsync(log, 1, round);
            return rows;
        });
        await set.KillAsync(1);
        await Eventually.TrueAsync(async () => await LagAsync(log, store, Partitions) is null, "the store is away");
        await set.StartAsync(1);
        await set.PauseAsync(1);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        await set.ResumeAsync(1);
        await stop.CancelAsync();
        appended += await appending;

        await StoredAsync(log, store);
        Assert.That(await store.CountAsync(), Is.EqualTo(appended));
        for (var device = 0; device < Devices; device += 17)
        {
            var rows = (await store.QueryAsync(new TelemetryRange($"device-{device}", Limit: appended))).Items;
            Assert.That(rows, Has.Count.EqualTo(appended / Devices));
            Assert.That((await store.LatestAsync($"device-{device}"))!.Offset, Is.EqualTo(rows[0].Offset));
        }

        foreach (var service in Enumerable.Reverse(started)) await service.StopAsync(default);
    }

    /// <summary>A row of each device a round.</summary>
    private static async Task<int> AppendAsync(IEventLog log, int rounds, int first)
    {
        for (var round = first; round < first + rounds; round++)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            var ofPartition = Enumerable.Range(0, Devices).Select(i => Encoding.UTF8.GetBytes($"device-{i}"))
                .ToLookup(device => Partitioner.PartitionOf(device, Partitions));
            foreach (var partition in ofPartition)
            {
                using var records = new RecordBatchBuilder();
                foreach (var device in partition)
                {
                    records.Begin(now, device, hasKey: true);
                    records.End("{}"u8);
                }

                await log.AppendAsync(new TopicPartition(Topics.Telemetry, partition.Key), records);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        return rounds * Devices;
    }

    private static Task StoredAsync(IEventLog log, ITelemetryStore store) => Eventually.TrueAsync(
        async () => await LagAsync(log, store, Partitions) == 0, "all is stored", TimeSpan.FromMinutes(3));

    /// <summary>Records that are not stored yet; null when the store does not answer.</summary>
    private static async Task<long?> LagAsync(IEventLog log, ITelemetryStore store, int partitions)
    {
        var lag = 0L;
        for (var p = 0; p < partitions; p++)
        {
            var partition = new TopicPartition(Topics.Telemetry, p);
            try
            {
                var position = await store.PositionAsync(partition);
                lag += (await log.RangeAsync(partition)).Next - (position?.NextOffset ?? 0);
            }
            catch (Primitives.MillraceException)
            {
                return null;
            }
        }

        return lag;
    }

    private static async Task<IHostedService> StartAsync(IServiceProvider services, string name)
    {
        var service = services.GetServices<IHostedService>().Single(one => one.GetType().Name == name);
        if (service is IHostedLifecycleService lifecycle) await lifecycle.StartingAsync(default);
        await service.StartAsync(default);
        return service;
    }

    private static ServiceProvider Build(string folder, int port)
    {
        var settings = new Dictionary<string, string?>
        {
            ["EventLog:Partitions"] = $"{Partitions}",
            ["Node:Name"] = "alone",
            ["Stores:Kind"] = "Cassandra",
            ["Cassandra:ContactPoints"] = "127.0.0.1",
            ["Cassandra:Port"] = $"{port}",
            ["Cassandra:ReplicationFactor"] = "1",
            ["StreamProcessor:RestartDelayMax"] = "1s",
        };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(folder));
        services.AddLocalEventLog();
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddCassandraOptions();
        services.AddCassandraStores();
        services.AddFileObjectStore();
        services.AddMillraceStreamProcessor();
        return services.BuildServiceProvider();
    }
}
