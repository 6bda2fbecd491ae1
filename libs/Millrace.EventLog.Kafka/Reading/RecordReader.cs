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
    public static void Read(NativeMessage* message, RecordBatchBuilder into)
    {
        var key = new ReadOnlySpan<byte>(message->Key, (int)message->KeyBytes);
        into.Begin(Rdkafka.MessageTimestamp(message, null), key, hasKey: message->Key is not null);
        nint headers;
        if (Rdkafka.MessageHeaders(message, &headers) == 0) ReadHeaders(headers, into);
        into.End(new ReadOnlySpan<byte>(message->Payload, (int)message->PayloadBytes));
    }

    private static void ReadHeaders(nint headers, RecordBatchBuilder into)
    {
        byte* name, value;
        nuint valueBytes;
        for (nuint number = 0; Rdkafka.HeaderGet(headers, number, &name, &value, &valueBytes) == 0; number++)
        {
            into.AddHeader(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name),
                new ReadOnlySpan<byte>(value, value is null ? 0 : (int)valueBytes));
        }
    }
}
