using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.Contracts;

namespace Millrace.Api.Telemetry;

/// <summary>A telemetry message as the API shows it: its body as JSON when that can be, else as base64.</summary>
internal sealed record TelemetryItem(
    string DeviceId, DateTimeOffset EventAt, DateTimeOffset EnqueuedAt, int Partition, long Offset,
    string? ModuleId, string? ContentType, string? ContentEncoding, string? MessageId, string? CorrelationId,
    IReadOnlyDictionary<string, string> Properties,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Body,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? BodyBase64)
{
    public static TelemetryItem Of(TelemetryMessage m)
    {
        var json = JsonShown.TryParse(m.Body);
        return new TelemetryItem(m.DeviceId, DateTimeOffset.FromUnixTimeMilliseconds(m.EventAtMs),
            DateTimeOffset.FromUnixTimeMilliseconds(m.EnqueuedAtMs), m.Partition, m.Offset, m.ModuleId, m.ContentType,
            m.ContentEncoding, m.MessageId, m.CorrelationId, m.Properties, json, json is null ? m.Body : null);
    }
}
