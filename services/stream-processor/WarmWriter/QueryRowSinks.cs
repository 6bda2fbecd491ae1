using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.Outputs;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Rows of the alerts topic into the alert store.</summary>
internal sealed class AlertSink(
    IAlertStore store, DeadLetterWriter deadLetters, StoreRetry retry, RecordClock clock,
    TimeProvider time) : ITopicSink
{
    public string Name => "alert-writer";

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        store.PositionAsync(partition, ct);

    public async ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
    {
        var read = QueryRowReader.Read(batches, metadata, clock.LatestMs(partition.Topic), time, AlertReader.Read);
        await deadLetters.WriteAsync(read.Letters, CancellationToken.None);
        var position = new SinkPosition(batches[^1].NextOffset, read.Metadata);
        var refused = await QueryRowReader.Write<AlertRow>(
            new RefusedRows(deadLetters, batches, time), batches, metadata, (rows, until) =>
                retry.RunAsync(Name, partition, () => store.WriteAsync(partition, rows, until), stop))
            .RunAsync(read.Rows, position);
        StreamProcessorMetrics.Written.Add(read.Rows.Count - refused, StreamProcessorMetrics.Sink(Name));
        StreamProcessorMetrics.Refused.Add(read.Letters.Count + refused, StreamProcessorMetrics.Sink(Name));
        return read.Metadata;
    }
}

/// <summary>Rows of one out.* topic into the output store.</summary>
/// <param name="isKept">Whether the row is to be kept: another query may write into the same output.</param>
internal sealed class OutputSink(
    string output, IOutputStore store, Predicate<OutputRow> isKept, DeadLetterWriter deadLetters, StoreRetry retry,
    RecordClock clock, TimeProvider time) : ITopicSink
{
    public string Name => "output-writer";

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        store.PositionAsync(partition, ct);

    public async ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
    {
        var read = QueryRowReader.Read(batches, metadata, clock.LatestMs(partition.Topic), time, Row);
        await deadLetters.WriteAsync(read.Letters, CancellationToken.None);
        var position = new SinkPosition(batches[^1].NextOffset, read.Metadata);
        var kept = read.Rows.FindAll(row => isKept(row.Item));
        var refused = await QueryRowReader.Write<OutputRow>(
            new RefusedRows(deadLetters, batches, time), batches, metadata, (rows, until) =>
                retry.RunAsync(Name, partition, () => store.WriteAsync(partition, rows, until), stop))
            .RunAsync(kept, position);
        StreamProcessorMetrics.Written.Add(kept.Count - refused, StreamProcessorMetrics.Sink(Name));
        StreamProcessorMetrics.Refused.Add(read.Letters.Count + refused, StreamProcessorMetrics.Sink(Name));
        return read.Metadata;
    }

    private OutputRow Row(QueryRowHeaders headers, RecordView record)
    {
        using var check = JsonDocument.Parse(record.Value.ToArray());
        return new OutputRow(headers.RowId, output, headers.Query, headers.Version, headers.At,
            Encoding.UTF8.GetString(record.Value));
    }
}

/// <summary>What a query wrote beside a row.</summary>
internal sealed record QueryRowHeaders(string RowId, string Query, int Version, DateTimeOffset At, string? Key);

/// <summary>Makes something of one record of an output topic; throws JsonException when it is not a row.</summary>
internal delegate T ReadQueryRow<T>(QueryRowHeaders headers, RecordView record);

internal static class QueryRowReader
{
    public static (List<ReadItem<T>> Rows, List<DeadLetter> Letters, string Metadata) Read<T>(
        IReadOnlyList<RecordBatch> batches, string? metadata, long latestMs, TimeProvider time, ReadQueryRow<T> read)
    {
        var fence = new EpochFence(metadata);
        var (rows, letters) = (new List<ReadItem<T>>(), new List<DeadLetter>());
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                if (!fence.Admits(record))
                {
                    StreamProcessorMetrics.Fenced.Add(1);
                    continue;
                }

                if (RecordRefusal.OfRow(record, latestMs) is { } refusal)
                {
                    letters.Add(RecordRefusal.Letter(batch.Partition, record, refusal, time.GetUtcNow()));
                    continue;
                }

                try
                {
                    rows.Add(new ReadItem<T>(record.Offset, read(Headers(batch.Partition, record), record)));
                }
                catch (Exception e) when (e is JsonException or InvalidOperationException)
                {
                    letters.Add(DeadLetter.Of(record, batch.Partition, DeadLetterStages.WarmWriter,
                        StreamProcessorErrors.RecordUnreadable.Code, e.Message, time.GetUtcNow()));
                }
            }
        }

        return (rows, letters, fence.Metadata);
    }

    /// <param name="metadata">What the sink kept with its position before the batches.</param>
    public static SinkWrite<ReadItem<T>> Write<T>(RefusedRows refused, IReadOnlyList<RecordBatch> batches,
        string? metadata, Func<IReadOnlyList<T>, SinkPosition, ValueTask> store) => new()
        {
            OffsetOf = row => row.Offset,
            Store = (rows, position) => store(rows.ConvertAll(row => row.Item), position),
            Until = offset => new SinkPosition(offset, MetadataUntil(batches, metadata, offset)),
            Refuse = (row, error) => refused.WriteAsync(row.Offset, error),
        };

    /// <summary>What goes with a position in the midst of the batches: whoever goes on there admits the same.</summary>
    private static string MetadataUntil(IReadOnlyList<RecordBatch> batches, string? metadata, long offset)
    {
        var fence = new EpochFence(metadata);
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                if (record.Offset < offset) fence.Admits(record);
            }
        }

        return fence.Metadata;
    }

    /// <summary>A row that another producer put there is known by its place.</summary>
    private static QueryRowHeaders Headers(TopicPartition partition, RecordView record)
    {
        var row = OutputRecord.Of(record);
        return new QueryRowHeaders(
            row.HasRowId ? Encoding.UTF8.GetString(row.RowId) : OutputRecord.RowIdAt(partition, record.Offset),
            Encoding.UTF8.GetString(row.Query), row.Version, DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs),
            row.Device.IsEmpty ? null : Encoding.UTF8.GetString(row.Device));
    }
}
