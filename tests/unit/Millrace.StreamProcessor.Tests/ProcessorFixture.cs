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
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.Stores.Sqlite;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A stream processor on a local log and SQLite of its own, or on those that it shares with another.</summary>
internal sealed class ProcessorFixture : IAsyncDisposable
{
    public const int Partitions = 4;

    private readonly TemporaryFolder? _own;
    private readonly string _folder;
    private readonly SharedLog? _shared;
    private readonly string _node;
    private readonly ITelemetryStore? _telemetry;
    private readonly Action<IServiceCollection>? _more;
    private readonly IReadOnlyDictionary<string, string?> _settings = new Dictionary<string, string?>();
    private ServiceProvider _services;
    private List<IHostedService> _started = [];

    /// <param name="telemetry">The warm store; null for SQLite.</param>
    /// <param name="settings">What the configuration has besides.</param>
    /// <param name="more">What is registered last.</param>
    public ProcessorFixture(
        ITelemetryStore? telemetry = null, IReadOnlyDictionary<string, string?>? settings = null,
        Action<IServiceCollection>? more = null)
    {
        (_own, _node, _telemetry, _more) = (new TemporaryFolder(), "alone", telemetry, more);
        _settings = settings ?? _settings;
        _folder = _own.Path;
        _services = Build();
    }

    public ProcessorFixture(string folder, SharedLog log, string node)
    {
        (_folder, _shared, _node) = (folder, log, node);
        _services = Build();
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public IEventLog Log => Get<IEventLog>();

    /// <summary>Starts the hosted services that the filter takes; all without one.</summary>
    public async Task StartAsync(Func<IHostedService, bool>? filter = null)
    {
        var services = _services.GetServices<IHostedService>().Where(filter ?? (_ => true)).ToList();
        foreach (var service in services.OfType<IHostedLifecycleService>()) await service.StartingAsync(default);
        foreach (var service in services)
        {
            await service.StartAsync(CancellationToken.None);
            _started.Add(service);
        }
    }

    /// <summary>Only what makes the topics: for tests that drive owners by hand.</summary>
    public Task StartTopicsAsync() => StartAsync(s => s.GetType().Name == "HubTopics");

    /// <summary>Drains, closes everything and opens it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        _services = Build();
        await StartAsync();
    }

    public async Task AppendAsync(int partition, long timestampMs, string? device, string body)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(timestampMs, Encoding.UTF8.GetBytes(device ?? ""), hasKey: device is not null);
        records.End(Encoding.UTF8.GetBytes(body));
        await Log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), records);
    }

    /// <summary>The rows of an output that count, by row id; fails when one stands there twice.</summary>
    public async Task<SortedDictionary<string, string>> RowsAsync(string output)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (Log.FindTopic(Topics.Output(output)) is not { } topic) return rows;
        for (var p = 0; p < topic.Partitions; p++)
        {
            var partition = new TopicPartition(topic.Name, p);
            var range = await Log.RangeAsync(partition);
            await using var reader = Log.OpenReader(partition, range.First);
            var fence = new EpochFence(null);
            while (reader.Position < range.Next) Collect(await reader.ReadAsync(), fence, rows);
        }

        return rows;
    }

    private static void Collect(RecordBatch batch, EpochFence fence, SortedDictionary<string, string> rows)
    {
        foreach (var record in batch)
        {
            if (!fence.Admits(record) || !record.TryGetHeader(OutputHeaders.RowId, out var id)) continue;
            var rowId = Encoding.UTF8.GetString(id);
            Assert.That(rows.TryAdd(rowId, Encoding.UTF8.GetString(record.Value)), Is.True, $"{rowId} stands twice");
        }
    }

    /// <summary>What an engine that nobody disturbs makes of the whole telemetry topic.</summary>
    public async Task<SortedDictionary<string, string>> UndisturbedAsync(
        QueryConfig config, string output, bool complete, IEnumerable<LateMark>? late = null)
    {
        var plan = SaqlCompiler.Compile(config.Text).Plan!;
        var sink = new CollectingSink(plan.Outputs.ToList().IndexOf(output));
        var all = Enumerable.Range(0, Partitions).Select(p => new TopicPartition(Topics.Telemetry, p)).ToList();
        var runs = plan.Scope == QueryScope.PerPartition ? all.Select(p => new[] { p }) : [all.ToArray()];
        foreach (var run in runs)
        {
            var engine = new QueryEngine(plan, new QueryEngineOptions(config.Name, config.Version),
                [.. run.Select(p => new QuerySource(Topics.Telemetry, p, 0))], sink);
            foreach (var mark in late ?? [])
            {
                if (!run.Contains(mark.Input)) continue;
                engine.Late(mark.Input, mark.Offset, new LateRecord(mark.Letter!.ToRecord(), mark.Letter.Element));
            }

            foreach (var partition in run)
            {
                var range = await Log.RangeAsync(partition);
                await using var reader = Log.OpenReader(partition, range.First);
                while (reader.Position < range.Next) engine.Process(await reader.ReadAsync());
            }

            if (complete) engine.Complete();
        }

        return sink.Rows;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _own?.Dispose();
    }

    private async Task StopAsync()
    {
        foreach (var service in Enumerable.Reverse(_started)) await service.StopAsync(CancellationToken.None);
        _started = [];
        await _services.DisposeAsync();
    }

    private ServiceProvider Build()
    {
        var settings = new Dictionary<string, string?>
        {
            ["StreamProcessor:IdleAfter"] = "00:00:00.300",
            ["StreamProcessor:IdleGrace"] = "00:00:00.500",
            ["StreamProcessor:TickInterval"] = "00:00:00.050",
            ["StreamProcessor:WatermarkInterval"] = "00:00:00",
            ["StreamProcessor:CheckpointInterval"] = "00:00:00.200",
            ["StreamProcessor:ReconcileInterval"] = "00:00:00.300",
            ["StreamProcessor:ReferenceInterval"] = "00:00:00.200",
            ["StreamProcessor:StatusInterval"] = "00:00:00.200",
            ["EventLog:Partitions"] = $"{Partitions}",
            ["Queries:Inputs:iothub-input"] = "telemetry",
            ["Queries:Inputs:notices"] = "control",
            ["StreamProcessor:StalePause"] = "00:00:00.300",
            ["Node:Name"] = _node,
        };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings)
            .AddInMemoryCollection(_settings).Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(_folder));
        services.AddLocalEventLog();
        services.AddValidatedOptions<NodeOptions>("Node");
        services.AddSqliteStores();
        services.AddMetrics();
        services.AddFileObjectStore();
        services.AddMillraceStreamProcessor();
        if (_telemetry is not null) services.AddSingleton(_telemetry);
        _more?.Invoke(services);
        if (_shared is not null)
        {
            services.AddSingleton<IEventLog>(_shared);
            services.Remove(services.First(s => s.ImplementationType?.Name == "LogRetention"));
        }

        return services.BuildServiceProvider();
    }

    private sealed class CollectingSink(int output) : IQueryRowSink
    {
        public SortedDictionary<string, string> Rows { get; } = new(StringComparer.Ordinal);

        public void Row(in QueryRow row)
        {
            if (row.Output != output) return;
            Rows.Add(Encoding.UTF8.GetString(row.RowId), Encoding.UTF8.GetString(row.Json));
        }

        public void Failed(in QueryRowFailure failure)
        {
        }

        public void Dropped(TopicPartition source, long offset, int element, bool isLate)
        {
        }
    }
}
