using Millrace.Contracts;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A record's metadata as records of the language.</summary>
internal static class RecordMetadata
{
    private static readonly (string Name, byte[] Header)[] HubHeaders =
    [
        ("ConnectionDeviceGenerationId", TelemetryHeaders.GenerationId.ToArray()),
        ("MessageId", TelemetryHeaders.MessageId.ToArray()),
        ("CorrelationId", TelemetryHeaders.CorrelationId.ToArray()),
    ];

    /// <summary>The record IoTHub.</summary>
    public static Value IoTHub(in RecordView record, RecordTimes times, JsonRowWriter writer, TextArena arena)
    {
        writer.Begin();
        writer.NameAsWritten("ConnectionDeviceId"u8);
        writer.Value(record.HasKey ? arena.Add(record.Key) : Value.Null);
        writer.NameAsWritten("EnqueuedTime"u8);
        writer.Value(times.Enqueued == RecordTimes.None ? Value.Null : Value.OfTicks(times.Enqueued));
        foreach (var (name, header) in HubHeaders)
        {
            writer.Name(JsonRowWriter.NameToken(name));
            writer.Value(record.TryGetHeader(header, out var value) ? arena.Add(value) : Value.Null);
        }

        writer.End();
        return arena.Add(writer.Written, ValueKind.Record);
    }

    /// <summary>All application properties; of a repeated one the last.</summary>
    public static Value Properties(in RecordView record, JsonRowWriter writer, TextArena arena)
    {
        var prefix = TelemetryHeaders.ApplicationPrefix;
        var last = new Dictionary<string, byte[]>();
        foreach (var header in record.Headers)
        {
            if (header.Name.StartsWith(prefix))
                last[System.Text.Encoding.UTF8.GetString(header.Name[prefix.Length..])] = header.Value.ToArray();
        }

        writer.Begin();
        foreach (var (name, value) in last)
        {
            writer.Name(JsonRowWriter.NameToken(name));
            writer.Value(Value.OfText(value));
        }

        writer.End();
        return arena.Add(writer.Written, ValueKind.Record);
    }
}
