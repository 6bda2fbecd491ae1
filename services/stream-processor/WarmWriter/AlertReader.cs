using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Makes an alert of a row: deviceId, severity and message are lifted out, the rest is its details.</summary>
internal static class AlertReader
{
    public static AlertRow Read(QueryRowHeaders headers, RecordView record)
    {
        // No device can keep its alert from being seen by a text that is none.
        using var document = JsonDocument.Parse(JsonText.Mended(record.Value));
        var (device, severity, message) = ((string?)null, AlertSeverity.Warning, (string?)null);
        using var details = new MemoryStream();
        using (var json = new Utf8JsonWriter(details))
        {
            json.WriteStartObject();
            foreach (var field in document.RootElement.EnumerateObject())
            {
                if (Is(field, "deviceId")) device = Text(field.Value);
                else if (Is(field, "severity")) severity = Severity(Text(field.Value));
                else if (Is(field, "message")) message = Text(field.Value);
                else field.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return new AlertRow(headers.RowId, headers.Query, headers.Version, device ?? headers.Key, severity,
            message ?? headers.Query, headers.At, Encoding.UTF8.GetString(details.ToArray()));
    }

    private static bool Is(JsonProperty field, string name) =>
        field.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private static AlertSeverity Severity(string? text)
    {
        if (text is null) return AlertSeverity.Warning;
        if (Enum.TryParse<AlertSeverity>(text, ignoreCase: true, out var severity) && Enum.IsDefined(severity))
            return severity;
        StreamProcessorMetrics.SeverityUnknown.Add(1);
        return AlertSeverity.Warning;
    }
}
