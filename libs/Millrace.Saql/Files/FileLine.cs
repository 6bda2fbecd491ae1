using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Files;

/// <summary>
/// Lines of a JSON-lines file as records for a <see cref="QueryEngine"/>. The members EventEnqueuedUtcTime,
/// EventProcessedUtcTime, PartitionId and IoTHub are the line's metadata and no part of the body; what is left out is
/// not known:
/// <list type="bullet">
/// <item>EventProcessedUtcTime is the arrival, exactly (but never before that of the record before it).</item>
/// <item>Without it the arrival is EventEnqueuedUtcTime, as live.</item>
/// <item>Without both, a line arrives at its own event time under TIMESTAMP BY, and else with the line before it (the
/// first at 1970-01-01).</item>
/// </list>
/// </summary>
public static class FileLine
{
    private static readonly long EpochTicks = DateTime.UnixEpoch.Ticks;

    private static readonly (string Name, byte[] Header)[] HubHeaders =
    [
        ("MessageId", TelemetryHeaders.MessageId.ToArray()),
        ("CorrelationId", TelemetryHeaders.CorrelationId.ToArray()),
        ("ConnectionDeviceGenerationId", TelemetryHeaders.GenerationId.ToArray()),
        ("AuthMethod", TelemetryHeaders.AuthMethod.ToArray()),
        ("ConnectionModuleId", TelemetryHeaders.ModuleId.ToArray()),
    ];

    /// <summary>Appends a line (UTF-8, without its line end) as one record.</summary>
    /// <param name="builderOf">Gives the builder of a source partition; a line without PartitionId goes to 0.</param>
    /// <param name="partition">Where the line belongs, when it was appended.</param>
    /// <param name="isUntyped">The line was made of a format that knows text alone, such as CSV.</param>
    /// <returns>Null, or why the line is no record (SQ-0301, SQ-0302): nothing was appended then.</returns>
    public static Error? Append(
        ReadOnlySpan<byte> line, Func<int, RecordBatchBuilder> builderOf, out int partition, bool isUntyped = false)
    {
        ArgumentNullException.ThrowIfNull(builderOf);
        partition = 0;
        var bytes = line.ToArray();
        var check = new JsonScanner(bytes);
        check.SkipBlanks();
        var start = check.At;
        var isObject = check.Current == '{' && check.TrySkipValue();
        var end = check.At;
        check.SkipBlanks();
        if (!isObject || !check.AtEnd || !Utf8.IsValid(bytes)) return SaqlErrors.BadLine.With(Shorten(line));

        var record = Value.Slice(ValueKind.Record, bytes, start, end - start);
        var arena = new TextArena();
        var meta = new Metadata();
        if (meta.Read(record, arena) is { } error) return error;
        partition = meta.Partition;
        Write(builderOf(partition), meta, Body(record), arena, isUntyped);
        return null;
    }

    private static void Write(
        RecordBatchBuilder builder, Metadata meta, ReadOnlySpan<byte> body, TextArena arena, bool isUntyped)
    {
        var enqueuedMs = meta.Enqueued == long.MinValue ? 0
            : (meta.Enqueued - EpochTicks) / TimeSpan.TicksPerMillisecond;
        var hub = meta.Hub;
        var device = hub.IsNull ? Value.Null : AsText(JsonLookup.Member(hub, "ConnectionDeviceId"u8, arena), arena);
        builder.Begin(enqueuedMs, device.IsNull ? default : device.Utf8, hasKey: !device.IsNull);
        Span<byte> times = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(times, meta.Enqueued);
        BinaryPrimitives.WriteInt64LittleEndian(times[8..], meta.Processed);
        builder.AddHeader(FileLineHeaders.Times, times);
        if (isUntyped) builder.AddHeader(FileLineHeaders.Untyped, default);
        // Whatever the input's records are, a line is JSON.
        builder.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
        foreach (var (name, header) in HubHeaders)
        {
            if (hub.IsNull) break;
            var value = AsText(JsonLookup.Member(hub, Encoding.UTF8.GetBytes(name), arena), arena);
            if (!value.IsNull) builder.AddHeader(header, value.Utf8);
        }

        builder.End(body);
    }

    private static Value AsText(Value value, TextArena arena) =>
        !value.IsNull && Conversion.TryText(value, arena, out var text) ? text : Value.Null;

    /// <summary>The line without its metadata, its other members byte for byte.</summary>
    private static ReadOnlySpan<byte> Body(Value record)
    {
        var writer = new JsonRowWriter();
        writer.Begin();
        foreach (var member in JsonLookup.Members(record))
        {
            if (Metadata.IsMetadata(member.Name)) continue;
            writer.NameAsWritten(member.WrittenName);
            writer.Json(member.Json);
        }

        writer.End();
        return writer.Written;
    }

    private static string Shorten(ReadOnlySpan<byte> line) =>
        Encoding.UTF8.GetString(line.Length <= 60 ? line : line[..60]) + (line.Length <= 60 ? "" : "...");

    /// <summary>What a line says of itself.</summary>
    private sealed class Metadata
    {
        public long Enqueued { get; private set; } = long.MinValue;

        public long Processed { get; private set; } = long.MinValue;

        public int Partition { get; private set; }

        public Value Hub { get; private set; }

        public static bool IsMetadata(ReadOnlySpan<byte> name) =>
            name.SequenceEqual("EventEnqueuedUtcTime"u8) || name.SequenceEqual("EventProcessedUtcTime"u8) ||
            name.SequenceEqual("PartitionId"u8) || name.SequenceEqual("IoTHub"u8);

        public Error? Read(Value record, TextArena arena)
        {
            foreach (var member in JsonLookup.Members(record))
            {
                if (!IsMetadata(member.Name)) continue;
                var value = JsonLookup.Member(record, member.Name, arena);
                if (!value.IsNull && !Take(member.Name, value))
                    return SaqlErrors.BadLineMetadata.With(
                        $"{Encoding.UTF8.GetString(member.Name)}: {Encoding.UTF8.GetString(member.Json)}");
            }

            return null;
        }

        private bool Take(ReadOnlySpan<byte> name, Value value)
        {
            if (name.SequenceEqual("IoTHub"u8))
            {
                Hub = value;
                return value.Kind == ValueKind.Record;
            }

            if (name.SequenceEqual("PartitionId"u8))
            {
                Partition = (int)Math.Clamp(value.Integer, -1, int.MaxValue);
                return value.Kind == ValueKind.BigInt && value.Integer is >= 0 and <= int.MaxValue;
            }

            if (!Conversion.TryDateTime(value, out var time)) return false;
            if (name.SequenceEqual("EventEnqueuedUtcTime"u8)) Enqueued = time.Ticks;
            else Processed = time.Ticks;
            return true;
        }
    }
}
