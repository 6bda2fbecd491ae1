using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.Stores.Sqlite;
using Millrace.Stores.Telemetry;

namespace Millrace.Integration.Tests.Survival;

/// <summary>The data folder of a platform that has ended, opened to see what it holds.</summary>
internal sealed class StoppedPlatform : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    /// <param name="log">The platform's log, where it is not in the folder.</param>
    public StoppedPlatform(string data, IEventLog? log = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataFolder(data));
        services.AddLocalEventLog();
        if (log is not null) services.AddSingleton(log);
        services.AddSqliteStores();
        _services = services.BuildServiceProvider();
        Log = _services.GetRequiredService<IEventLog>();
    }

    public IEventLog Log { get; }

    /// <summary>Rows found so far that a stale owner wrote, after another had fenced it.</summary>
    public int StaleRows { get; private set; }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Every record of a topic, in order of partition and offset.</summary>
    public async Task<List<RecordBatch>> BatchesAsync(string topic)
    {
        var batches = new List<RecordBatch>();
        for (var p = 0; p < Log.FindTopic(topic)!.Partitions; p++)
        {
            var partition = new TopicPartition(topic, p);
            var range = await Log.RangeAsync(partition);
            await using var reader = Log.OpenReader(partition, range.First);
            while (reader.Position < range.Next) batches.Add(await reader.ReadAsync());
        }

        return batches;
    }

    public async Task<Dictionary<(int Partition, long Offset), (string Device, string Body)>> TelemetryAsync()
    {
        var records = new Dictionary<(int, long), (string, string)>();
        foreach (var batch in await BatchesAsync(Topics.Telemetry))
        {
            foreach (var record in batch)
            {
                records.Add((batch.Partition.Partition, record.Offset),
                    (Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value)));
            }
        }

        return records;
    }

    public async Task<Dictionary<(int Partition, long Offset), (string Device, string Body)>> WarmAsync(
        IEnumerable<string> devices)
    {
        var rows = new Dictionary<(int, long), (string, string)>();
        var store = Get<ITelemetryStore>();
        foreach (var device in devices)
        {
            string? token = null;
            do
            {
                var page = await store.QueryAsync(new TelemetryRange(device, Limit: 5_000, Continuation: token));
                foreach (var m in page.Items)
                    rows.Add((m.Partition, m.Offset), (m.DeviceId, Encoding.UTF8.GetString(m.Body)));
                token = page.Continuation;
            }
            while (token is not null);
        }

        return rows;
    }

    /// <summary>
    /// The rows of a query's output topic that count, by row id. Reads the epochs by itself: a row below the highest
    /// epoch seen before it, of the same query, is passed over.
    /// </summary>
    public async Task<SortedDictionary<string, string>> OutputAsync(string output, string query)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var epochs = new Dictionary<TopicPartition, long>();
        foreach (var batch in await BatchesAsync(Topics.Output(output)))
        {
            foreach (var record in batch)
            {
                if (!record.TryGetHeader(OutputHeaders.Query, out var owner) ||
                    Encoding.UTF8.GetString(owner) != $"{query}/1")
                    continue;
                Assert.That(record.TryGetHeader(OutputHeaders.Epoch, out var text), Is.True);
                var epoch = long.Parse(Encoding.UTF8.GetString(text));
                if (epoch < epochs.GetValueOrDefault(batch.Partition))
                {
                    StaleRows++;
                    continue;
                }

                epochs[batch.Partition] = epoch;
                if (record.TryGetHeader(OutputHeaders.Fence, out _)) continue;
                Assert.That(record.TryGetHeader(OutputHeaders.RowId, out var id), Is.True);
                var rowId = Encoding.UTF8.GetString(id);
                Assert.That(rows.TryAdd(rowId, Encoding.UTF8.GetString(record.Value)), Is.True,
                    $"{rowId} stands twice");
            }
        }

        return rows;
    }

    /// <summary>What a run that nobody disturbed makes of the log.</summary>
    public async Task<SortedDictionary<string, string>> UndisturbedAsync(string query, string output)
    {
        var config = (await Get<IQueryStore>().FindAsync(query))!;
        var plan = SaqlCompiler.Compile(config.Text).Plan!;
        var sink = new RowsByIdSink(plan.Outputs.ToList().IndexOf(output));
        var batches = await BatchesAsync(Topics.Telemetry);
        var partitions = Enumerable.Range(0, Log.FindTopic(Topics.Telemetry)!.Partitions)
            .Select(p => new TopicPartition(Topics.Telemetry, p)).ToList();
        var runs = plan.Scope == QueryScope.PerPartition ? partitions.Select(p => new[] { p }) : [partitions.ToArray()];
        foreach (var run in runs)
        {
            var engine = new QueryEngine(plan, new QueryEngineOptions(query, 1),
                [.. run.Select(p => new QuerySource(Topics.Telemetry, p, config.StartOffsets[p.ToString()]))], sink);
            foreach (var batch in batches.Where(b => run.Contains(b.Partition))) engine.Process(batch);
            engine.Complete();
        }

        return sink.Rows;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class RowsByIdSink(int output) : IQueryRowSink
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
