using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// Encodes Kafka records as the platform's, whoever wrote them. What Kafka tells apart and the platform does not, an
/// absent value and an empty one, becomes the empty one.
/// </summary>
internal static unsafe class RecordReader
{
    // Of a record before its key, and of each header before its name.
    private const int FixedBytes = 26, HeaderBytes = 6;

    /// <summary>How many bytes the record will have.</summary>
    public static int Size(NativeMessage* message)
    {
        var size = FixedBytes + (int)message->KeyBytes + (int)message->PayloadBytes;
        for (var number = 0; TryHeader(message, number, out var name, out var value); number++)
            size += HeaderBytes + name.Length + value.Length;
        return size;
    }

    public static void Read(NativeMessage* message, RecordBatchBuilder into)
    {
        var key = new ReadOnlySpan<byte>(message->Key, (int)message->KeyBytes);
        into.Begin(Rdkafka.MessageTimestamp(message, null), key, hasKey: message->Key is not null);
        for (var number = 0; TryHeader(message, number, out var name, out var value); number++)
            into.AddHeader(name, value);
        into.End(new ReadOnlySpan<byte>(message->Payload, (int)message->PayloadBytes));
    }

    private static bool TryHeader(
        NativeMessage* message, int number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        nint headers;
        byte* nameAt, valueAt;
        nuint valueBytes;
        if (Rdkafka.MessageHeaders(message, &headers) != 0
            || Rdkafka.HeaderGet(headers, (nuint)number, &nameAt, &valueAt, &valueBytes) != 0) return false;
        name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(nameAt);
        value = new ReadOnlySpan<byte>(valueAt, valueAt is null ? 0 : (int)valueBytes);
        return true;
    }
}
