using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// A device's latest value as one blob. Of two that were written with the same timestamp, Cassandra keeps the one whose
/// bytes are greater; so the offset comes first, big-endian.
/// </summary>
internal static class LatestCodec
{
    private const byte Version = 1;
    private const int HeadBytes = 8 + 1 + 8 + 8 + 4;

    /// <param name="output">Cleared, then filled.</param>
    public static void Write(TelemetryMessage row, ArrayBufferWriter<byte> output)
    {
        output.ResetWrittenCount();
        var head = output.GetSpan(HeadBytes);
        BinaryPrimitives.WriteInt64BigEndian(head, row.Offset);
        head[8] = Version;
        BinaryPrimitives.WriteInt64BigEndian(head[9..], row.EventAtMs);
        BinaryPrimitives.WriteInt64BigEndian(head[17..], row.EnqueuedAtMs);
        BinaryPrimitives.WriteInt32BigEndian(head[25..], row.Partition);
        output.Advance(HeadBytes);
        Text(output, row.ModuleId);
        Text(output, row.ContentType);
        Text(output, row.ContentEncoding);
        Text(output, row.MessageId);
        Text(output, row.CorrelationId);
        Text(output, row.UserId);
        Text(output, row.GenerationId);
        Number(output, row.Properties.Count);
        foreach (var (name, value) in row.Properties)
        {
            Text(output, name);
            Text(output, value);
        }

        output.Write(row.Body);
    }

    public static TelemetryMessage Read(string deviceId, ReadOnlySpan<byte> bytes)
    {
        if (bytes[8] != Version) throw StoreErrors.SchemaNewer.With($"latest value, version {bytes[8]}").AsException();
        var rest = bytes[HeadBytes..];
        var module = Text(ref rest);
        var (contentType, contentEncoding) = (Text(ref rest), Text(ref rest));
        var (messageId, correlationId) = (Text(ref rest), Text(ref rest));
        var (userId, generationId) = (Text(ref rest), Text(ref rest));
        var properties = new Dictionary<string, string>();
        for (var left = Number(ref rest); left > 0; left--) properties.Add(Text(ref rest)!, Text(ref rest)!);
        return new TelemetryMessage
        {
            DeviceId = deviceId,
            Offset = BinaryPrimitives.ReadInt64BigEndian(bytes),
            EventAtMs = BinaryPrimitives.ReadInt64BigEndian(bytes[9..]),
            EnqueuedAtMs = BinaryPrimitives.ReadInt64BigEndian(bytes[17..]),
            Partition = BinaryPrimitives.ReadInt32BigEndian(bytes[25..]),
            ModuleId = module,
            ContentType = contentType,
            ContentEncoding = contentEncoding,
            MessageId = messageId,
            CorrelationId = correlationId,
            UserId = userId,
            GenerationId = generationId,
            Properties = properties,
            Body = rest.ToArray(),
        };
    }

    /// <summary>A length, -1 for null, then UTF-8.</summary>
    private static void Text(ArrayBufferWriter<byte> output, string? text)
    {
        if (text is null)
        {
            Number(output, -1);
            return;
        }

        Number(output, Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, output);
    }

    private static string? Text(ref ReadOnlySpan<byte> bytes)
    {
        var length = Number(ref bytes);
        if (length < 0) return null;
        var text = Encoding.UTF8.GetString(bytes[..length]);
        bytes = bytes[length..];
        return text;
    }

    private static void Number(ArrayBufferWriter<byte> output, int number)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(4), number);
        output.Advance(4);
    }

    private static int Number(ref ReadOnlySpan<byte> bytes)
    {
        var number = BinaryPrimitives.ReadInt32BigEndian(bytes);
        bytes = bytes[4..];
        return number;
    }
}
