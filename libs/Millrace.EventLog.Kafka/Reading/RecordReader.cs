using System.Runtime.InteropServices;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// Encodes Kafka records as the platform's, whoever wrote them. What Kafka tells apart and the platform does not, an
/// absent value and an empty one, becomes the empty one. Headers that do not fit are cut, and the record says so.
/// </summary>
internal static unsafe class RecordReader
{
    public static void Read(NativeMessage* message, RecordBatchBuilder into)
    {
        Begin(message, into);
        nint headers;
        if (Rdkafka.MessageHeaders(message, &headers) == 0 && !TryHeaders(headers, into))
        {
            into.Abandon();
            Begin(message, into);
            CutHeaders(headers, into);
        }

        into.End(new ReadOnlySpan<byte>(message->Payload, (int)message->PayloadBytes));
    }

    private static void Begin(NativeMessage* message, RecordBatchBuilder into)
    {
        var key = new ReadOnlySpan<byte>(message->Key, (int)message->KeyBytes);
        into.Begin(Rdkafka.MessageTimestamp(message, null), key, hasKey: message->Key is not null);
    }

    /// <summary>False at the first that does not fit.</summary>
    private static bool TryHeaders(nint headers, RecordBatchBuilder into)
    {
        for (nuint number = 0; TryGet(headers, number, out var name, out var value); number++)
        {
            if (name.Length > RecordBatchBuilder.HeaderNameBytesMax || number >= RecordBatchBuilder.HeadersMax)
                return false;
            into.AddHeader(name, value);
        }

        return true;
    }

    /// <summary>The mark, then as many as fit.</summary>
    private static void CutHeaders(nint headers, RecordBatchBuilder into)
    {
        nuint count = 0;
        while (TryGet(headers, count, out _, out _)) count++;
        into.AddHeader(RecordDefects.CutHeader, Encoding.ASCII.GetBytes($"{count}"));
        var added = 1;
        for (nuint number = 0; number < count && added < RecordBatchBuilder.HeadersMax; number++)
        {
            TryGet(headers, number, out var name, out var value);
            if (name.Length > RecordBatchBuilder.HeaderNameBytesMax) continue;
            into.AddHeader(name, value);
            added++;
        }
    }

    private static bool TryGet(nint headers, nuint number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = default;
        value = default;
        byte* nameStart, valueStart;
        nuint valueBytes;
        if (Rdkafka.HeaderGet(headers, number, &nameStart, &valueStart, &valueBytes) != 0) return false;
        name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(nameStart);
        value = new ReadOnlySpan<byte>(valueStart, valueStart is null ? 0 : (int)valueBytes);
        return true;
    }
}
