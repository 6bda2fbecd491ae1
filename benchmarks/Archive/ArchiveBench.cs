using System.Diagnostics;
using System.Globalization;
using System.Text;
using DuckDB.NET.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Archiver;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.Hosting;
using Millrace.ObjectStore;

namespace Millrace.Benchmarks.Archive;

/// <summary>A log with its records, the archiver's own parts over it, and DuckDB beside it.</summary>
internal sealed class ArchiveBench : IAsyncDisposable
{
    private const int Partitions = 4;
    private const int AppendRecords = 1_000;
    private const long StartMs = 1_764_000_000_000;
    private const int HourMs = 3_600_000;

    private readonly string _folder;
    private readonly LocalLog _log;
    private readonly IObjectStore _store;
    private readonly ArchiverOptions _options;
    private readonly FileEncoder _encoder;
    private readonly RowBuffer _buffer;
    private readonly DuckDBConnection _duckDb = new("DataSource=:memory:");
    private readonly Case _case;
    private List<string> _files = [];

    private ArchiveBench(string folder, Case one)
    {
        _folder = folder;
        _case = one;
        _log = LocalLog.Open(Path.Combine(folder, "log"));
        _store = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(folder))
            .AddFileObjectStore()
            .BuildServiceProvider()
            .GetRequiredService<IObjectStore>();
        _options = new ArchiverOptions { Compression = one.Compression };
        if (one.Promoted)
        {
            _options.PromotedColumns.Add(new PromotedColumnOptions { Name = "temperature", Path = "temperature" });
            _options.PromotedColumns.Add(new PromotedColumnOptions
            {
                Name = "battery",
                Path = "status.battery",
                Type = PromotedType.BigInt,
            });
        }

        var layout = new TelemetryLayout(PromotedColumn.From(_options));
        _encoder = new FileEncoder(layout, _options.Compression, _options.RowGroups);
        _buffer = new RowBuffer(layout, _options.RecordSizeMax.Bytes, _options.RollSize.Bytes);
    }

    public static async Task<ArchiveBench> OpenAsync(Case one, int rows)
    {
        var bench = new ArchiveBench(Directory.CreateTempSubdirectory("millrace-bench-").FullName, one);
        await bench._log.EnsureTopicAsync(new TopicSpec(Topics.Telemetry, Partitions));
        await bench.FillAsync(rows);
        return bench;
    }

    /// <summary>
    /// All records of the log to Parquet in the object store, by one thread, in rolls of the usual size.
    /// </summary>
    public async Task<Turn> ArchiveAsync()
    {
        _files = [];
        var clock = Clock.Start();
        var bytes = 0L;
        await foreach (var batch in ReadAsync())
        {
            _buffer.Add(batch, DateTimeOffset.UnixEpoch);
            if (_buffer.Bytes >= _options.RollSize.Bytes) bytes += await FlushAsync();
        }

        bytes += await FlushAsync();
        return clock.Stop(bytes);
    }

    /// <summary>What each step costs when it runs alone over everything.</summary>
    public async Task<List<(string Step, double Nanoseconds)>> StepsAsync()
    {
        var batches = new List<RecordBatch>();
        var clock = Clock.Start();
        await foreach (var batch in ReadAsync()) batches.Add(batch);
        var read = clock.Stop(0).CpuSeconds;
        _buffer.Clear();
        clock = Clock.Start();
        foreach (var batch in batches) _buffer.Add(batch, DateTimeOffset.UnixEpoch);
        var add = clock.Stop(0).CpuSeconds;
        clock = Clock.Start();
        new RowOrder().Sort(_buffer);
        var sort = clock.Stop(0).CpuSeconds;
        clock = Clock.Start();
        foreach (var file in _encoder.Encode(_buffer)) GC.KeepAlive(file);
        var encode = clock.Stop(0).CpuSeconds - sort;
        var rows = _buffer.Count;
        _buffer.Clear();
        return
        [
            ("read from the log", read / rows * 1e9), ("copy and check", add / rows * 1e9), ("sort", sort / rows * 1e9),
            ("encode and compress", encode / rows * 1e9),
        ];
    }

    /// <summary>Gives DuckDB the rows of the last turn, as columns in memory and in the order of the log.</summary>
    public void LoadPeer()
    {
        _duckDb.Open();
        Execute("SET threads = 1");
        var files = string.Join(", ", _files.Select(file => $"'{file}'"));
        var columns = _case.Promoted ? "* EXCLUDE (temperature, battery)" : "*";
        Execute($"CREATE TABLE t AS SELECT {columns} FROM read_parquet([{files}]) ORDER BY log_partition, log_offset");
    }

    public Turn Copy(bool sorted)
    {
        var target = Path.Combine(_folder, "copy.parquet");
        var fields = _case.Promoted
            ? ", (decode(body)->>'$.temperature')::DOUBLE AS temperature, "
                + "(decode(body)->>'$.status.battery')::BIGINT AS battery"
            : "";
        var order = sorted ? "ORDER BY device_id, enqueued_at" : "";
        var compression = _case.Compression == ArchiveCompression.Zstd ? "zstd, COMPRESSION_LEVEL 1" : "snappy";
        var clock = Clock.Start();
        Execute($"COPY (SELECT *{fields} FROM t {order}) TO '{target}' "
            + $"(FORMAT parquet, COMPRESSION {compression}, ROW_GROUP_SIZE {_options.RowGroupRows})");
        return clock.Stop(new FileInfo(target).Length);
    }

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        _encoder.Dispose();
        _duckDb.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<long> FlushAsync()
    {
        var bytes = 0L;
        foreach (var file in _encoder.Encode(_buffer))
        {
            await _store.PutAsync(file.Path, file.Content);
            _files.Add(_store.LocalPath(file.Path)!);
            bytes += file.Content.Length;
        }

        _buffer.Clear();
        return bytes;
    }

    private async IAsyncEnumerable<RecordBatch> ReadAsync()
    {
        for (var partition = 0; partition < Partitions; partition++)
        {
            await using var reader = _log.OpenReader(new TopicPartition(Topics.Telemetry, partition), 0);
            while (await reader.TryReadAsync((int)_options.ReadSize.Bytes) is { } batch) yield return batch;
        }
    }

    private async Task FillAsync(int rows)
    {
        var random = new Random(1);
        var builders = Enumerable.Range(0, Partitions).Select(_ => new RecordBatchBuilder()).ToArray();
        for (var row = 0; row < rows; row++)
        {
            var device = Encoding.UTF8.GetBytes($"device-{random.Next(_case.Devices):D6}");
            var partition = Partitioner.PartitionOf(device, Partitions);
            var records = builders[partition];
            records.Begin(StartMs + ((long)row * HourMs / rows), device);
            records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            records.AddHeader(TelemetryHeaders.AuthMethod, "sas"u8);
            records.AddHeader(TelemetryHeaders.ApplicationPrefix, "kind"u8, "flight"u8);
            records.End(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"{{\"temperature\":{random.NextDouble() * 100:F2},\"humidity\":{random.Next(100)},\"pressure\":"
                + $"{random.NextDouble() * 1000:F3},\"status\":{{\"battery\":{random.Next(100)},"
                + $"\"mode\":\"auto\"}}}}")));
            if (records.Count < AppendRecords) continue;
            await _log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), records);
            records.Clear();
        }

        for (var partition = 0; partition < Partitions; partition++)
        {
            if (builders[partition].Count > 0)
                await _log.AppendAsync(new TopicPartition(Topics.Telemetry, partition), builders[partition]);
            builders[partition].Dispose();
        }
    }

    private void Execute(string sql)
    {
        using var command = _duckDb.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private readonly record struct Clock(long StartedAt, TimeSpan CpuBefore)
    {
        public static Clock Start() => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

        public Turn Stop(long bytes) => new(
            Stopwatch.GetElapsedTime(StartedAt).TotalSeconds,
            (Environment.CpuUsage.TotalTime - CpuBefore).TotalSeconds, bytes);
    }
}
