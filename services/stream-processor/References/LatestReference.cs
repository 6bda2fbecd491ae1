using System.Buffers;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql.Files;
using Millrace.Stores.Identities;
using Millrace.Stores.Telemetry;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// The latest value of each device that the hub knows: its id, its event and enqueued times, and the fields of its body
/// as a record, which is null when the body is no object. No values are read as long as the devices are the same and
/// the store has taken no more telemetry.
/// </summary>
internal sealed class LatestReference(
    IIdentityStore identities, ITelemetryStore telemetry, StoredTopic stored, TelemetryBody bodies, long bytesMax)
    : IReferenceSource
{
    private const int DevicesAtOnce = 500;

    private IReadOnlyList<byte[]> _entries = [];
    private List<string> _devices = [];

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var reading = await stored.ChangedAsync(ct);
        var devices = new List<string>();
        await foreach (var device in DeviceReference.AllAsync(identities, ct)) devices.Add(device.DeviceId);
        if (reading is null && devices.SequenceEqual(_devices)) return _entries;

        var entries = new EntryList(bytesMax);
        foreach (var some in devices.Chunk(DevicesAtOnce))
        {
            foreach (var message in await telemetry.LatestManyAsync(some, ct)) entries.Add(EntryOf(message));
        }

        (_devices, _entries) = (devices, entries.Entries);
        reading?.Done();
        return _entries;
    }

    private byte[] EntryOf(TelemetryMessage message)
    {
        var entry = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(entry);
        writer.WriteStartObject();
        writer.WriteString("id", message.DeviceId);
        writer.WriteString("eventAt", DateTimeOffset.FromUnixTimeMilliseconds(message.EventAtMs).UtcDateTime);
        writer.WriteString("enqueuedAt", DateTimeOffset.FromUnixTimeMilliseconds(message.EnqueuedAtMs).UtcDateTime);
        writer.WritePropertyName("body");
        if (bodies.ObjectOf(message.Body, message.ContentType, message.ContentEncoding) is { } body)
            writer.WriteRawValue(body, skipInputValidation: true);
        else writer.WriteNullValue();
        writer.WriteEndObject();
        writer.Flush();
        return entry.WrittenSpan.ToArray();
    }
}
