using Millrace.Benchmarks.Saql;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>The engine over bytes of the same events that are in memory already: a query's places, one after the
/// other.</summary>
internal sealed class EngineTurns
{
    private readonly List<RecordBatch>[] _partitions;

    private EngineTurns(List<RecordBatch>[] partitions) => _partitions = partitions;

    public long Events => _partitions.Sum(batches => batches.Sum(batch => (long)batch.Count));

    /// <summary>Takes the first records of each partition.</summary>
    public static async Task<EngineTurns> ReadAsync(IEventLog log, int partitions, long events, int bytesMax)
    {
        var all = new List<RecordBatch>[partitions];
        for (var p = 0; p < partitions; p++)
        {
            var partition = new TopicPartition(Topics.Telemetry, p);
            var end = Math.Min((await log.RangeAsync(partition)).Next, events / partitions);
            await using var reader = log.OpenReader(partition, 0);
            all[p] = [];
            while (reader.Position < end) all[p].Add(await reader.ReadAsync(bytesMax));
        }

        return new EngineTurns(all);
    }

    public void Run(string text)
    {
        var plan = SaqlCompiler.Compile(text).Plan ?? throw new InvalidOperationException(text);
        foreach (var (number, batches) in _partitions.Index())
        {
            var source = new QuerySource(Topics.Telemetry, new TopicPartition(Topics.Telemetry, number), 0);
            var engine = new QueryEngine(plan, new QueryEngineOptions("bench", 1), [source], new CountingSink());
            foreach (var batch in batches) engine.Process(batch);
        }
    }
}
