using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Positions;
using Millrace.Stores.Telemetry;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>
/// The lifecycle topic into each device's state. One that is deleted leaves neither latest value nor position.
/// </summary>
internal sealed class DeviceStateSink(
    IDeviceStateStore store, ITelemetryStore telemetry, IPositionStore positions, DeadLetterWriter deadLetters,
    StoreRetry retry, TimeProvider time) : ITopicSink
{
    public string Name => "device-state-writer";

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        store.PositionAsync(partition, ct);

    public async ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
    {
        var (events, letters) = JsonRecords.Read(batches, ContractJson.Default.LifecycleEvent, time);
        await deadLetters.WriteAsync(letters, CancellationToken.None);
        var position = new SinkPosition(batches[^1].NextOffset);
        var refusals = new RefusedRows(deadLetters, batches, time);
        var refused = await new SinkWrite<ReadItem<LifecycleEvent>>
        {
            OffsetOf = one => one.Offset,
            Store = (some, until) => StoreAsync(partition, some.ConvertAll(one => one.Item), until, stop),
            Until = offset => new SinkPosition(offset),
            Refuse = (one, error) => refusals.WriteAsync(one.Offset, error),
        }.RunAsync(events, position);
        StreamProcessorMetrics.Refused.Add(refused, StreamProcessorMetrics.Sink(Name));
        return null;
    }

    private async ValueTask StoreAsync(
        TopicPartition partition, List<LifecycleEvent> events, SinkPosition position, CancellationToken stop)
    {
        List<DeviceEnd> ends =
        [
            .. events.Where(one => one.Kind == LifecycleKind.Deleted)
                .Select(one => new DeviceEnd(one.DeviceId, one.GenerationId, one.At.ToUnixTimeMilliseconds())),
        ];

        // Before the position: whoever goes on from there does not come back to them.
        if (ends.Count > 0)
        {
            await retry.RunAsync(Name, partition, () => telemetry.ForgetAsync(ends), stop);
            await retry.RunAsync(Name, partition, () => positions.ForgetAsync(ends), stop);
        }

        await retry.RunAsync(Name, partition, () => store.WriteAsync(partition, events, position), stop);
    }
}

/// <summary>The dead-letter topic into the store that the API lists.</summary>
internal sealed class DeadLetterSink(IDeadLetterStore store, StoreRetry retry, TimeProvider time) : ITopicSink
{
    public string Name => "dead-letter-writer";

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        store.PositionAsync(partition, ct);

    public async ValueTask<string?> WriteAsync(
        TopicPartition partition, IReadOnlyList<RecordBatch> batches, string? metadata, CancellationToken stop)
    {
        // A record here that is no letter becomes one: it says what it is and loses nothing.
        var (letters, unreadable) = JsonRecords.Read(batches, ContractJson.Default.DeadLetter, time);
        letters.AddRange(unreadable.Select(letter => new ReadItem<DeadLetter>(letter.Offset, letter)));
        letters.Sort((one, other) => one.Offset.CompareTo(other.Offset));
        var position = new SinkPosition(batches[^1].NextOffset);
        var refused = await new SinkWrite<ReadItem<DeadLetter>>
        {
            OffsetOf = letter => letter.Offset,
            Store = (some, until) => StoreAsync(partition, some.ConvertAll(letter => letter.Item), until, stop),
            Until = offset => new SinkPosition(offset),
            Refuse = (letter, error) => StoreShortAsync(partition, letter, error, stop),
        }.RunAsync(letters, position);
        StreamProcessorMetrics.Refused.Add(refused, StreamProcessorMetrics.Sink(Name));
        return null;
    }

    private ValueTask StoreAsync(
        TopicPartition partition, List<DeadLetter> letters, SinkPosition position, CancellationToken stop) =>
        retry.RunAsync(Name, partition, () => store.WriteAsync(partition, letters, position), stop);

    /// <summary>
    /// A letter about a letter would be as large. It is stored without the record, which stays in the topic.
    /// </summary>
    private async ValueTask StoreShortAsync(
        TopicPartition partition, ReadItem<DeadLetter> letter, Error error, CancellationToken stop)
    {
        var shortened = letter.Item.WithoutRecord($"in full at {partition}, offset {letter.Offset}: {error.Code}");
        try
        {
            await StoreAsync(partition, [shortened], new SinkPosition(letter.Offset), stop);
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.RowRefused)
        {
            // It is counted, and the record stays where it was read.
        }
    }
}

internal static class JsonRecords
{
    public static (List<ReadItem<T>> Items, List<DeadLetter> Letters) Read<T>(
        IReadOnlyList<RecordBatch> batches, JsonTypeInfo<T> type, TimeProvider time)
    {
        var (items, letters) = (new List<ReadItem<T>>(), new List<DeadLetter>());
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                try
                {
                    items.Add(new ReadItem<T>(record.Offset,
                        JsonSerializer.Deserialize(record.Value, type) ?? throw new JsonException("null")));
                }
                catch (JsonException e)
                {
                    letters.Add(DeadLetter.Of(record, batch.Partition, DeadLetterStages.WarmWriter,
                        StreamProcessorErrors.RecordUnreadable.Code, e.Message, time.GetUtcNow()));
                }
            }
        }

        return (items, letters);
    }
}
