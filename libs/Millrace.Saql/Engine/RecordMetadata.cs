using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>A record's metadata as values of the language.</summary>
internal static class RecordMetadata
{
    private static readonly (byte[] Name, byte[] Header)[] HubHeaders =
    [
        (JsonRowWriter.NameToken("ConnectionDeviceGenerationId"), TelemetryHeaders.GenerationId.ToArray()),
        (JsonRowWriter.NameToken("MessageId"), TelemetryHeaders.MessageId.ToArray()),
        (JsonRowWriter.NameToken("CorrelationId"), TelemetryHeaders.CorrelationId.ToArray()),
        (JsonRowWriter.NameToken("AuthMethod"), TelemetryHeaders.AuthMethod.ToArray()),
        (JsonRowWriter.NameToken("AuthGenerationId"), TelemetryHeaders.GenerationId.ToArray()),
        (JsonRowWriter.NameToken("ConnectionModuleId"), TelemetryHeaders.ModuleId.ToArray()),
        (JsonRowWriter.NameToken("MessageSource"), []),
        (JsonRowWriter.NameToken("InterfaceName"), []),
    ];

    private static readonly (byte[] Name, byte[] Header)[] EventHeaders =
    [
        (JsonRowWriter.NameToken("Publisher"), []),
        (JsonRowWriter.NameToken("IoTAuthMethod"), TelemetryHeaders.AuthMethod.ToArray()),
        (JsonRowWriter.NameToken("IoTAuthGenerationId"), TelemetryHeaders.GenerationId.ToArray()),
        (JsonRowWriter.NameToken("IoTConnectionModuleId"), TelemetryHeaders.ModuleId.ToArray()),
        (JsonRowWriter.NameToken("IoTMessageSource"), []),
        (JsonRowWriter.NameToken("IoTInterfaceName"), []),
    ];

    /// <summary>The record IoTHub.</summary>
    public static Value IoTHub(in RecordView record, RecordTimes times, JsonRowWriter writer, TextArena arena)
    {
        writer.Begin();
        writer.NameAsWritten("ConnectionDeviceId"u8);
        writer.Value(record.HasKey ? arena.Add(record.Key) : Value.Null);
        writer.NameAsWritten("EnqueuedTime"u8);
        writer.Value(Time(times.Enqueued));
        Headers(record, HubHeaders, writer, arena);
        writer.End();
        return arena.Add(writer.Written, ValueKind.Record);
    }

    /// <summary>The record EventHub.</summary>
    /// <param name="arrival">The time that EventProcessedUtcTime gives, in ticks.</param>
    public static Value EventHub(
        SourceState source, in RecordView record, RecordTimes times, long arrival, JsonRowWriter writer,
        TextArena arena)
    {
        writer.Begin();
        writer.NameAsWritten("EventEnqueuedUtcTime"u8);
        writer.Value(Time(times.Enqueued));
        writer.NameAsWritten("EventProcessedUtcTime"u8);
        writer.Value(Time(arrival));
        writer.NameAsWritten("PartitionId"u8);
        writer.Value(Value.Of((long)source.Partition.Partition));
        writer.NameAsWritten("Offset"u8);
        writer.Value(Value.Of(record.Offset));
        writer.NameAsWritten("SequenceNumber"u8);
        writer.Value(Value.Of(record.Offset));
        foreach (var name in (ReadOnlySpan<byte[]>)["PartitionKey"u8.ToArray(), "IoTConnectionDeviceId"u8.ToArray()])
        {
            writer.NameAsWritten(name);
            writer.Value(record.HasKey ? arena.Add(record.Key) : Value.Null);
        }

        writer.NameAsWritten("IoTEnqueueTime"u8);
        writer.Value(Time(times.Enqueued));
        Headers(record, EventHeaders, writer, arena);
        writer.End();
        return arena.Add(writer.Written, ValueKind.Record);
    }

    /// <summary>A GUID of the place of the event in the log, so that it is the same whenever it is read.</summary>
    public static Value EventId(SourceState source, in RecordView record, int element, TextArena arena)
    {
        var topic = Encoding.UTF8.GetBytes(source.Partition.Topic);
        Span<byte> place = new byte[16 + topic.Length];
        BinaryPrimitives.WriteInt64BigEndian(place, record.Offset);
        BinaryPrimitives.WriteInt32BigEndian(place[8..], source.Partition.Partition);
        BinaryPrimitives.WriteInt32BigEndian(place[12..], element);
        topic.CopyTo(place[16..]);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(place, hash);
        // RFC 9562: version 8, of one's own making.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return arena.Add(new Guid(hash[..16], bigEndian: true).ToString());
    }

    private static Value Time(long ticks) => ticks == RecordTimes.None ? Value.Null : Value.OfTicks(Math.Max(0, ticks));

    private static void Headers(
        in RecordView record, (byte[] Name, byte[] Header)[] headers, JsonRowWriter writer, TextArena arena)
    {
        foreach (var (name, header) in headers)
        {
            writer.Name(name);
            writer.Value(record.TryGetHeader(header, out var value) ? arena.Add(value) : Value.Null);
        }
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
