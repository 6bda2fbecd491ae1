using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Telemetry;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Telemetry into the warm store.</summary>
internal sealed class TelemetrySink(
    ITelemetryStore store, PositionWriter positions, DeadLetterWriter deadLetters, StoreRetry retry, RecordClock clock,
    TimeProvider time) : ITopicSink
{
    // A replay moves no position, but must not put an older one over a newer one either.
    private readonly ConcurrentDictionary<TopicPartition, SemaphoreSlim> _writing = new();

    private readonly KeyValuePair<string, object?> _sink = StreamProcessorMetrics.Sink(ConsumerGroups.WarmWriter);

    public string Name => ConsumerGroups.WarmWriter;

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        store.PositionAsync(partition, ct);

    public async ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
    {
        var startedAt = time.GetUtcNow();
        var (rows, letters) = Read(batches);
        var position = new SinkPosition(batches[^1].NextOffset);

        // Letters first: when the position has passed a record, it is somewhere.
        await deadLetters.WriteAsync(letters, CancellationToken.None);
        var turn = _writing.GetOrAdd(partition, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(CancellationToken.None);
        try
        {
            await WriteRowsAsync(partition, batches, rows, position, stop);
        }
        finally
        {
            turn.Release();
        }

        StreamProcessorMetrics.Refused.Add(letters.Count, _sink);
        if (MessageSpans.AreOn)
            foreach (var batch in batches) MessageSpans.Passed("write warm row", batch, startedAt);
        return null;
    }

    /// <summary>Stores the row of a dead letter under its own identity; false with a reason when it is refused
    /// again.</summary>
    public async ValueTask<string?> ReplayAsync(DeadLetter letter, CancellationToken ct)
    {
        var partition = new TopicPartition(letter.Topic, letter.Partition);
        var batch = letter.ToRecord();
        var (rows, letters) = Read([batch]);
        if (letters.Count > 0) return letters[0].Reason;
        var turn = _writing.GetOrAdd(partition, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(ct);
        try
        {
            await positions.WriteAsync([batch], rows, ct);
            var position = await store.PositionAsync(partition, ct) ?? new SinkPosition(0);
            await store.WriteAsync(partition, rows, position, ct);
            return null;
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.RowRefused)
        {
            return e.Error.ToString();
        }
        finally
        {
            turn.Release();
        }
    }

    private async ValueTask WriteRowsAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, List<TelemetryMessage> rows,
        SinkPosition position, CancellationToken stop)
    {
        var letters = new RefusedRows(deadLetters, batches, time);
        var refused = await new SinkWrite<TelemetryMessage>
        {
            OffsetOf = row => row.Offset,
            Store = (some, until) => retry.RunAsync(Name, partition, () => StoreAsync(some, until), stop),
            Until = offset => new SinkPosition(offset),
            Refuse = (row, error) => letters.WriteAsync(row.Offset, error),
        }.RunAsync(rows, position);
        StreamProcessorMetrics.Written.Add(rows.Count - refused, _sink);
        StreamProcessorMetrics.Refused.Add(refused, _sink);

        async ValueTask StoreAsync(List<TelemetryMessage> some, SinkPosition until)
        {
            await positions.WriteAsync(batches, some, CancellationToken.None);
            await store.WriteAsync(partition, some, until, CancellationToken.None);
        }
    }

    private (List<TelemetryMessage> Rows, List<DeadLetter> Letters) Read(IReadOnlyList<RecordBatch> batches)
    {
        var (rows, letters) = (new List<TelemetryMessage>(), new List<DeadLetter>());
        var latestMs = clock.LatestMs(batches[0].Partition.Topic);
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                if (RecordRefusal.OfTelemetry(record, latestMs) is { } refusal)
                    letters.Add(RecordRefusal.Letter(batch.Partition, record, refusal, time.GetUtcNow()));
                else if (TelemetryMessage.TryRead(batch.Partition.Partition, record, out var message))
                    rows.Add(message!);
            }
        }

        return (rows, letters);
    }
}
