using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>
/// One life of the archiver over a fixed set of partitions: from the table's positions on, until it is stopped or
/// something fails. It has two buffers, so that one fills while the other becomes files.
/// </summary>
internal sealed class ArchiveRun(
    ArchiveWriter writer,
    IEventLog log,
    ArchiverOptions options,
    ArchiverMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Batches on the way for each partition; each is at most a ReadSize.</summary>
    private const int BatchesPerPartition = 2;

    /// <summary>No flush runs, and what became of the last one was looked at.</summary>
    private static readonly Task<DeltaCommitOutcome> NoFlush = Task.FromResult(DeltaCommitOutcome.Committed);

    private readonly ArchiveTopic _topic = writer.Topic;
    private readonly Dictionary<int, TopicPosition> _positions = [];

    /// <summary>What was read has seen these, committed or not.</summary>
    private readonly Dictionary<int, EpochFence> _fences = [];

    /// <summary>Runs until <paramref name="stop"/>. Returns when what was read is part of the table.</summary>
    /// <param name="drain">Whether to take everything that the log has when stopped.</param>
    /// <returns>Committed, or why the run must start again from the table.</returns>
    public async Task<DeltaCommitOutcome> RunAsync(
        IReadOnlyCollection<TopicPartition> partitions, Func<bool> drain, CancellationToken stop,
        CancellationToken abort)
    {
        var snapshot = await writer.OpenTableAsync(abort).ConfigureAwait(false);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var pumpStop = CancellationTokenSource.CreateLinkedTokenSource(stop, failed.Token);
        var queue = Channel.CreateBounded<RecordBatch>(
            new BoundedChannelOptions(partitions.Count * BatchesPerPartition) { SingleReader = true });
        var pumps = new List<Task>();
        foreach (var partition in partitions)
        {
            var start = await StartOfAsync(partition, snapshot, abort).ConfigureAwait(false);
            var pump = new PartitionPump(
                log, partition, start, _topic.ReadBytes, options, queue.Writer, metrics, time, logger);
            pumps.Add(pump.RunAsync(drain, pumpStop.Token, failed.Token));
        }

        logger.RunStarted(string.Join(", ", partitions), string.Join(", ", _positions.Values.Select(p => p.Next ?? 0)));
        var feeding = CompleteWhenDone(pumps, queue.Writer);
        try
        {
            return await ConsumeAsync(queue.Reader, abort).ConfigureAwait(false);
        }
        finally
        {
            await failed.CancelAsync().ConfigureAwait(false);
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The table's position, or the log's first record where the table has none.</summary>
    private async ValueTask<long> StartOfAsync(
        TopicPartition partition, DeltaSnapshot snapshot, CancellationToken ct)
    {
        var position = TopicPosition.Of(_topic, snapshot, partition.Partition);
        _positions[partition.Partition] = position;
        if (_topic.Output is not null) _fences[partition.Partition] = EpochFence.At(position.Epochs);
        var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
        var next = position.Next ?? range.First;
        if (next < range.First)
        {
            // Nobody held an output's records while it was not to be archived.
            var held = await log.CommittedAsync(_topic.Group, partition, ct).ConfigureAwait(false);
            if (_topic.Output is null || held?.NextOffset < range.First)
            {
                throw ArchiverErrors.RecordsLost
                    .With(partition, $"Offsets {next} to {range.First - 1} are missing.").AsException();
            }

            logger.Skipped(partition.ToString(), range.First, range.First - next, next);
            next = range.First;
        }

        if (next > range.Next)
        {
            throw ArchiverErrors.LogShorter
                .With(partition, $"The table is at {next}, the log ends at {range.Next}.").AsException();
        }

        // A crash may have come between the table's commit and the group's; and before the first one, too, the log
        // must hold what is to be archived.
        await log.CommitAsync(_topic.Group, partition, next, ct: ct).ConfigureAwait(false);
        return next;
    }

    private static async Task CompleteWhenDone(List<Task> pumps, ChannelWriter<RecordBatch> queue)
    {
        try
        {
            await Task.WhenAll(pumps).ConfigureAwait(false);
            queue.Complete();
        }
        catch (Exception e)
        {
            queue.Complete(e);
        }
    }

    private async Task<DeltaCommitOutcome> ConsumeAsync(ChannelReader<RecordBatch> queue, CancellationToken abort)
    {
        using var encoder = writer.NewEncoder();
        var filling = writer.NewBuffer();
        var spare = writer.NewBuffer();
        var flushing = NoFlush;
        var dueAt = DateTimeOffset.MaxValue;
        var ready = queue.WaitToReadAsync(abort).AsTask();
        while (true)
        {
            while (!IsDue(filling, dueAt) && queue.TryRead(out var batch))
            {
                var now = time.GetUtcNow();
                if (filling.IsEmpty) dueAt = now + options.RollAge;
                filling.Add(batch, now, _fences.GetValueOrDefault(batch.Partition.Partition));
            }

            if (IsDue(filling, dueAt))
            {
                var outcome = await flushing.ConfigureAwait(false);
                if (outcome != DeltaCommitOutcome.Committed) return outcome;
                (filling, spare) = (spare, filling);
                flushing = FlushAsync(spare, encoder, abort);
                dueAt = DateTimeOffset.MaxValue;
                continue;
            }

            await WaitAsync(ready, flushing, dueAt, abort).ConfigureAwait(false);
            if (flushing.IsCompleted)
            {
                // Looked at even when nothing comes any more: its rows must not wait for the next record.
                var outcome = await flushing.ConfigureAwait(false);
                if (outcome != DeltaCommitOutcome.Committed) return outcome;
                flushing = NoFlush;
            }

            if (!ready.IsCompleted) continue;
            if (!await ready.ConfigureAwait(false)) break;
            ready = queue.WaitToReadAsync(abort).AsTask();
        }

        var last = await flushing.ConfigureAwait(false);
        if (last != DeltaCommitOutcome.Committed || filling.IsEmpty) return last;
        return await FlushAsync(filling, encoder, abort).ConfigureAwait(false);
    }

    private bool IsDue(RowBuffer buffer, DateTimeOffset dueAt) =>
        buffer.Bytes >= _topic.RollBytes || buffer.Count >= options.RollRows
        || (!buffer.IsEmpty && time.GetUtcNow() >= dueAt);

    /// <summary>Until there is something to read, the running flush ends, or what is there is due.</summary>
    private async Task WaitAsync(Task ready, Task flushing, DateTimeOffset dueAt, CancellationToken abort)
    {
        if (ready.IsCompleted) return;
        var events = new List<Task>(3) { ready };

        // Also one that has ended already: whoever left it out would wait for the next record to see that it failed.
        if (flushing != NoFlush) events.Add(flushing);
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(abort);
        if (dueAt != DateTimeOffset.MaxValue)
        {
            var wait = dueAt - time.GetUtcNow();
            if (wait <= TimeSpan.Zero) return;
            events.Add(Task.Delay(wait, time, timer.Token));
        }

        await Task.WhenAny(events).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
    }

    private async Task<DeltaCommitOutcome> FlushAsync(RowBuffer buffer, FileEncoder encoder, CancellationToken abort)
    {
        // Encoding takes the processor for a while; the caller goes on filling the other buffer.
        await Task.Yield();
        var ends = buffer.Partitions.ToDictionary(pair => pair.Key, pair => new TopicPosition(
            pair.Value.Next, pair.Value.Epochs ?? _positions[pair.Key].Epochs));
        var moves = ends.SelectMany(end => _positions[end.Key].MovesTo(end.Value, _topic, end.Key)).ToList();
        var outcome = await writer.WriteAsync(buffer, encoder, moves, abort).ConfigureAwait(false);
        if (outcome != DeltaCommitOutcome.Committed) return outcome;
        foreach (var (partition, end) in ends)
        {
            _positions[partition] = end;
            await log.CommitAsync(
                _topic.Group, new TopicPartition(_topic.Name, partition), end.Next!.Value, ct: abort)
                .ConfigureAwait(false);
        }

        buffer.Clear();
        return outcome;
    }
}
