using Akka;
using Akka.Streams;
using Akka.Streams.Dsl;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>
/// The stream from a topic into a store: one a partition; while a write is under way, what comes next gathers into one
/// larger write, so a quiet partition is written at once and a busy one in large transactions.
/// </summary>
internal sealed class SinkStreams(
    IEventLog log, StreamRuntime runtime, IOptions<StreamProcessorOptions> options, TimeProvider time,
    ILogger<SinkStreams> logger)
{
    private readonly SupervisedStreams _streams = new(log, options.Value, time, logger);

    /// <summary>Runs until the token is cancelled, then drains.</summary>
    public Task RunAsync(ITopicSink sink, string topic, CancellationToken stop) =>
        _streams.RunAssignedAsync(sink.Name, topic, (partition, ct) => RunPartitionAsync(sink, partition, ct), stop);

    private async Task RunPartitionAsync(ITopicSink sink, TopicPartition partition, CancellationToken stop)
    {
        var position = await sink.PositionAsync(partition, stop);
        var first = (await log.RangeAsync(partition, stop)).First;
        var start = Math.Max(position?.NextOffset ?? first, first);
        if (position is not null && start > position.NextOffset)
        {
            // Only a store that was put back to an older state is so far behind; nothing else has these rows for it.
            StreamProcessorMetrics.Missed.Add(start - position.NextOffset, StreamProcessorMetrics.Sink(sink.Name));
            logger.SinkMissed(sink.Name, partition.ToString(), position.NextOffset, start - position.NextOffset);
        }

        var metadata = position?.Metadata;
        await using var commits = new SinkCommits(log, sink.Name, partition, time);
        await using var last = new LastStep();
        var (killSwitch, done) = Source
            .FromGraph(new PartitionSourceStage(log, partition, start, (int)options.Value.ReadBytesMax.Bytes))
            .ViaMaterialized(KillSwitches.Single<RecordBatch>(), Keep.Right)
            .BatchWeighted(WeightMax, Weight, batch => new List<RecordBatch> { batch },
                (batches, batch) =>
                {
                    batches.Add(batch);
                    return batches;
                })
            .SelectAsync(1, batches => last.Begin(WriteAsync(batches)))
            .ToMaterialized(Sink.Ignore<NotUsed>(), Keep.Both)
            .Run(runtime.Materializer);
        using var stopping = stop.Register(killSwitch.Shutdown);
        await done;

        async Task<NotUsed> WriteAsync(List<RecordBatch> batches)
        {
            // A write that was begun is finished on a stop: it is what the drain waits for.
            metadata = await sink.WriteAsync(partition, batches, metadata, stop);
            StreamProcessorMetrics.WarmDelay.Record(
                StreamProcessorMetrics.Age(batches[0], time), StreamProcessorMetrics.Sink(sink.Name));
            await commits.StoredAsync(batches[^1].NextOffset);
            return NotUsed.Instance;
        }
    }

    /// <summary>Of a write that has as many rows, or as many bytes, as one may have.</summary>
    private long WeightMax => options.Value.WarmRowsMax * options.Value.WarmBytesMax.Bytes;

    /// <summary>By what it has more of, as a part of the most: rows or bytes.</summary>
    private long Weight(RecordBatch batch) => Math.Max(
        batch.Count * options.Value.WarmBytesMax.Bytes, batch.Bytes.Length * (long)options.Value.WarmRowsMax);
}
