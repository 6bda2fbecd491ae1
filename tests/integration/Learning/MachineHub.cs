using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Archiver;
using Millrace.Batch;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Simulator.Scenarios;
using Millrace.Stores.Jobs;
using Millrace.Stores.Sqlite;
using Millrace.StreamProcessor;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Learning;

/// <summary>When a machine that ran was found standing.</summary>
internal sealed record MachineStop(string Device, DateTimeOffset At);

/// <summary>An alert that a query raised: its device and time.</summary>
internal sealed record Foreseen(string Device, DateTimeOffset At);

/// <summary>
/// Log, archiver, cold path and stream processor in this process, with the jobs of docs/examples and a fleet whose
/// messages come as `simulate --scenario machines --rate 30` sends them.
/// </summary>
internal sealed class MachineHub : IAsyncDisposable
{
    private const int Partitions = 4;
    private const int Rate = 30;

    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _started = [];

    public MachineHub()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddJsonFile(Examples.PathOf("machines.json")).AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ColdPath:JobsFolder"] = Examples.PathOf("machines"),
                ["ColdPath:Scheduler"] = "false",
                ["ColdPath:RunAttemptsMax"] = "1",
                ["EventLog:Partitions"] = $"{Partitions}",
                ["Archiver:RollAge"] = "00:00:00.500",
                ["StreamProcessor:IdleAfter"] = "00:00:00.300",
            }).Build());
        services.AddLogging().AddMetrics().AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path));
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddLocalEventLog().AddSqliteStores().AddFileObjectStore().AddBatchOptions().AddDuckDbBatch();
        services.AddMillraceArchiver().AddMillraceStreamProcessor().AddMillraceColdPath();
        _services = services.BuildServiceProvider();
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task StartAsync()
    {
        var hosted = _services.GetServices<IHostedService>().ToList();
        foreach (var service in hosted.OfType<IHostedLifecycleService>()) await service.StartingAsync(default);
        foreach (var service in hosted)
        {
            await service.StartAsync(default);
            _started.Add(service);
        }
    }

    /// <summary>Appends what the machines send from a moment on; tells when they stopped.</summary>
    public async Task<IReadOnlyList<MachineStop>> RunAsync(
        string prefix, int machines, DateTimeOffset from, TimeSpan time)
    {
        var stops = new List<MachineStop>();
        var fleet = Enumerable.Range(0, machines).Select(i => new Machine(new Random(i * 7919 ^ prefix[0]))).ToArray();
        var wasRunning = new bool[machines];
        var log = Get<IEventLog>();
        for (var second = 0; second < time.TotalSeconds; second++)
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                using var records = new RecordBatchBuilder();
                for (var message = 0; message < Rate; message++)
                {
                    var at = from.AddSeconds(second).AddMilliseconds(message * 1000.0 / Rate);
                    for (var i = partition; i < machines; i += Partitions)
                    {
                        var body = fleet[i].Next().Body;
                        var isRunning = JsonDocument.Parse(body).RootElement.GetProperty("running").GetBoolean();
                        if (wasRunning[i] && !isRunning) stops.Add(new MachineStop($"{prefix}-{i}", at));
                        wasRunning[i] = isRunning;
                        records.Begin(
                            at.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes($"{prefix}-{i}"), hasKey: true);
                        records.End(body);
                    }
                }

                await log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), records);
            }
        }

        return stops;
    }

    /// <summary>Makes every part of the time; fails when a run does.</summary>
    public async Task RunJobAsync(string job, DateTimeOffset from, TimeSpan time)
    {
        var kind = Get<JobCatalog>().Get(job).Part!.Value;
        foreach (var part in TimePart.Between(kind, from, from + time))
        {
            var run = await Get<JobRunner>().RunAsync(job, part, ColdJobs.NoParameters, "test", default);
            Assert.That(run.State, Is.EqualTo(JobRunState.Succeeded), $"{job} {part.Name}: {run.Error}");
        }
    }

    /// <summary>The first value of the statement's first row.</summary>
    public async Task<double> NumberAsync(string sql)
    {
        await using var result = await Get<IBatchEngine>()
            .QueryAsync(new BatchQuery($"SELECT CAST(({sql}) AS DOUBLE) AS n"));
        await foreach (var batch in result.Batches)
            return ((Apache.Arrow.DoubleArray)batch.Column(0)).GetValue(0) ?? double.NaN;
        throw new InvalidOperationException("No row.");
    }

    /// <summary>The alerts that count.</summary>
    public async Task<IReadOnlyList<Foreseen>> AlertsAsync()
    {
        var alerts = new List<Foreseen>();
        var log = Get<IEventLog>();
        for (var p = 0; p < log.FindTopic(Topics.Alerts)!.Partitions; p++)
        {
            var partition = new TopicPartition(Topics.Alerts, p);
            var range = await log.RangeAsync(partition);
            await using var reader = log.OpenReader(partition, range.First);
            var fence = new EpochFence(null);
            while (reader.Position < range.Next)
            {
                foreach (var record in await reader.ReadAsync())
                {
                    if (!fence.Admits(record) || !record.TryGetHeader(OutputHeaders.RowTime, out var time)) continue;
                    var row = JsonDocument.Parse(record.Value.ToArray()).RootElement;
                    alerts.Add(new Foreseen(row.GetProperty("deviceId").GetString()!, DateTimeOffset
                        .FromUnixTimeMilliseconds(long.Parse(Encoding.UTF8.GetString(time)))));
                }
            }
        }

        return alerts;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(_started)) await service.StopAsync(default);
        await _services.DisposeAsync();
        _folder.Dispose();
    }
}
