using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Millrace.Contracts;
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
        return null;
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
        letters.AddRange(unreadable);
        var position = new SinkPosition(batches[^1].NextOffset);
        await retry.RunAsync(Name, partition, () => store.WriteAsync(partition, letters, position), stop);
        return null;
    }
}

internal static class JsonRecords
{
    public static (List<T> Items, List<DeadLetter> Letters) Read<T>(
        IReadOnlyList<RecordBatch> batches, JsonTypeInfo<T> type, TimeProvider time)
    {
        var (items, letters) = (new List<T>(), new List<DeadLetter>());
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                try
                {
                    items.Add(JsonSerializer.Deserialize(record.Value, type) ?? throw new JsonException("null"));
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
