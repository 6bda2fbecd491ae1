using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Batch;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>
/// An archiver over a real log, real files and real stores, that can be stopped, killed and started again.
/// </summary>
internal sealed class ArchiverHarness : IAsyncDisposable
{
    public const int Partitions = 3;

    private readonly TemporaryFolder _folder = new();
    private readonly IEventLog _log;
    private readonly Dictionary<string, string?> _settings = new()
    {
        ["Archiver:RollAge"] = "00:00:00.100",
        ["Archiver:RestartDelay"] = "00:00:00.010",
        ["Archiver:LagInterval"] = "00:00:00.050",
        ["Archiver:ReplayScanInterval"] = "00:00:00.050",
        ["Archiver:OutputScanInterval"] = "00:00:00.020",
        ["Archiver:RollSize"] = "4KiB",
        ["Archiver:OutputRollSize"] = "4KiB",
        ["Archiver:ReadSize"] = "1KiB",
        ["Delta:CheckpointInterval"] = "3",
    };

    private readonly List<ServiceProvider> _twins = [];
    private ServiceProvider? _services;
    private ServiceProvider? _reading;

    /// <param name="objects">Where the archive is; files of its own when it is not said.</param>
    /// <param name="log">Disposed of with this; a local one when it is not said.</param>
    public ArchiverHarness(IObjectStore? objects = null, IEventLog? log = null)
    {
        _log = log ?? LocalLog.Open(_folder.Sub("log"), new EventLogOptions { SegmentBytesMax = ByteSize.FromKiB(4) });
        Objects = objects ?? TestObjectStores.Files(_folder.Path);
    }

    public IEventLog Log => _log;

    public IObjectStore Objects { get; }

    /// <summary>The clock of the archivers.</summary>
    public ShiftedTime Time { get; } = new();

    public ArchiverStatus Status => _services!.GetRequiredService<ArchiverStatus>();

    public IServiceProvider Services => _services!;

    public T Get<T>() where T : notnull => _services!.GetRequiredService<T>();

    public ArchiverHarness With(string key, string value)
    {
        _settings["Archiver:" + key] = value;
        return this;
    }

    public async Task<ArchiverHarness> MadeAsync()
    {
        await _log.EnsureTopicAsync(new TopicSpec(Topics.Telemetry, Partitions));
        await _log.EnsureTopicAsync(new TopicSpec(Topics.DeadLetter, 1));
        await _log.EnsureTopicAsync(new TopicSpec(Topics.Control, 1));
        return this;
    }

    /// <param name="log">As this process sees it.</param>
    public async Task StartAsync(IObjectStore? objects = null, IEventLog? log = null)
    {
        _services = Build(objects ?? Objects, log ?? _log);
        foreach (var service in Hosted(_services)) await service.StartAsync(CancellationToken.None);
    }

    /// <summary>Another process that has not heard yet that its partitions were taken over.</summary>
    public async Task<IServiceProvider> StartTwinAsync(IEventLog? log = null)
    {
        var twin = Build(Objects, log ?? _log);
        _twins.Add(twin);
        foreach (var service in Hosted(twin)) await service.StartAsync(CancellationToken.None);
        return twin;
    }

    public async Task StopAsync()
    {
        foreach (var services in _twins.Append(_services!))
        {
            foreach (var service in Hosted(services).Reverse()) await service.StopAsync(CancellationToken.None);
            await services.DisposeAsync();
        }

        _twins.Clear();
        _services = null;
        await EndReadingAsync();
    }

    private ServiceProvider Build(IObjectStore objects, IEventLog log) => new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(_settings).Build())
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddSingleton(log)
            .AddSingleton(objects)
            .AddSqliteStores()
            .AddMillraceArchiver()
            .BuildServiceProvider();

    /// <summary>Appends telemetry as the gateway does; each device has its partition.</summary>
    public async Task SendAsync(string device, params (long AtMs, string Body)[] messages)
    {
        using var records = new RecordBatchBuilder();
        foreach (var (atMs, body) in messages)
        {
            records.Begin(atMs, Encoding.UTF8.GetBytes(device));
            records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, "kind"u8, "test"u8);
            records.End(Encoding.UTF8.GetBytes(body));
        }

        await AppendAsync(Partitioner.PartitionOf(Encoding.UTF8.GetBytes(device), Partitions), records);
    }

    public ValueTask<OffsetRange> AppendAsync(int partition, RecordBatchBuilder records) =>
        _log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), records);

    public async Task<long> RecordsInLogAsync()
    {
        var sum = 0L;
        for (var partition = 0; partition < Partitions; partition++)
            sum += (await _log.RangeAsync(new TopicPartition(Topics.Telemetry, partition))).Next;
        return sum;
    }

    public async Task<DeltaSnapshot?> TableAsync()
    {
        using var table = new DeltaTable(Objects, TelemetryTable.Root, TimeProvider.System);
        return await table.RefreshAsync();
    }

    /// <summary>Waits until the table has passed everything that is in the log.</summary>
    public Task CaughtUpAsync() => Eventually.TrueAsync(
        async () =>
        {
            var snapshot = await TableAsync();
            for (var partition = 0; partition < Partitions; partition++)
            {
                var next = (await _log.RangeAsync(new TopicPartition(Topics.Telemetry, partition))).Next;
                if ((snapshot?.PositionOf(TelemetryTable.AppIdOf(partition)) ?? 0) < next) return false;
            }

            return true;
        },
        "the archive has everything", TimeSpan.FromSeconds(60));

    /// <summary>Rows of the archive by SQL, each as one text with its values separated by bars.</summary>
    public async Task<List<string>> SqlAsync(string sql)
    {
        var rows = new List<string>();
        await using var result = await Batch().QueryAsync(new BatchQuery($"SELECT COLUMNS(*)::VARCHAR FROM ({sql})"));
        await foreach (var batch in result.Batches)
        {
            for (var row = 0; row < batch.Length; row++)
            {
                rows.Add(string.Join('|', batch.Arrays.Cast<Apache.Arrow.StringArray>().Select(c => c.GetString(row))));
            }
        }

        return rows;
    }

    /// <summary>The rows of a statement as files below the key, as a run of a job writes them.</summary>
    public async Task<BatchWritten> WriteParquetAsync(string sql, string prefix) =>
        await Batch().WriteParquetAsync(new BatchQuery(sql), new BatchOutput(prefix));

    /// <summary>Lives as long as a process of the archiver.</summary>
    private IBatchEngine Batch() => (_reading ??= new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddSingleton(TimeProvider.System)
        .AddSingleton(new DataFolder(_folder.Path))
        .AddSingleton(Objects)
        .AddBatchOptions()
        .AddDuckDbBatch()
        .BuildServiceProvider()).GetRequiredService<IBatchEngine>();

    public async ValueTask DisposeAsync()
    {
        if (_services is not null) await StopAsync();
        await EndReadingAsync();
        await _log.DisposeAsync();
        _folder.Dispose();
    }

    private async Task EndReadingAsync()
    {
        if (_reading is not null) await _reading.DisposeAsync();
        _reading = null;
    }

    private static IEnumerable<IHostedService> Hosted(ServiceProvider services) => services
        .GetServices<IHostedService>().Where(service => service.GetType().Namespace!.Contains("Archiver"));
}
