using System.Buffers;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql.Files;
using Millrace.Stores.Identities;
using Millrace.Stores.Telemetry;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// The latest value of each device that the hub knows: its id, its event and enqueued times, and the fields of its body
/// as a record, which is null when the body is no object.
/// </summary>
internal sealed class LatestReference(
    IIdentityStore identities, ITelemetryStore telemetry, TelemetryBody bodies, long bytesMax) : IReferenceSource
{
    private const int DevicesAtOnce = 500;

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var entries = new EntryList(bytesMax);
        var ids = new List<string>();
        await foreach (var device in DeviceReference.AllAsync(identities, ct))
        {
            ids.Add(device.DeviceId);
            if (ids.Count == DevicesAtOnce) await AddAsync(ids, entries, ct);
        }

        await AddAsync(ids, entries, ct);
        return entries.Entries;
    }

    private async Task AddAsync(List<string> ids, EntryList entries, CancellationToken ct)
    {
        foreach (var message in await telemetry.LatestManyAsync(ids, ct)) entries.Add(EntryOf(message));
        ids.Clear();
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
