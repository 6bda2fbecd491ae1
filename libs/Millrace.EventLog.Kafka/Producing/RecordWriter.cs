using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// Hands encoded records to the library, each field as it is: the key, the value, the timestamp and the headers of the
/// record are those of the Kafka record.
/// </summary>
internal static unsafe class RecordWriter
{
    private const int CopyBytes = 2;

    // A field of no bytes is not the same as no field: it points somewhere all the same.
    private static readonly byte[] Somewhere = GC.AllocateArray<byte>(1, pinned: true);

    /// <summary>Returns how many were taken; fewer than there are when the library refused one, with its
    /// error.</summary>
    public static int Write(
        NativeClient client, nint topic, int partition, RecordBatchBuilder records, nint opaque, out int error)
    {
        const int count = 8;
        var fields = stackalloc NativeField[count];
        fields[0] = new NativeField { Kind = FieldKind.Topic, Pointer = topic };
        fields[1] = new NativeField { Kind = FieldKind.Partition, Int = partition };
        fields[2] = new NativeField { Kind = FieldKind.Flags, Int = CopyBytes };
        fields[3] = new NativeField { Kind = FieldKind.Opaque, Pointer = opaque };
        fixed (byte* somewhere = Somewhere)
        {
            var written = 0;
            foreach (var record in new RecordBatch(default, 0, records.Count, records.Bytes))
            {
                error = WriteOne(client, fields, record, somewhere);
                if (error != 0) return written;
                written++;
            }

            error = 0;
            return written;
        }
    }

    private static int WriteOne(NativeClient client, NativeField* fields, RecordView record, byte* somewhere)
    {
        var headers = Headers(record, somewhere);
        fixed (byte* key = record.Key, value = record.Value)
        {
            fields[4] = new NativeField { Kind = FieldKind.Timestamp, Long = record.TimestampMs };
            fields[5] = new NativeField
            {
                Kind = FieldKind.Value,
                Pointer = (nint)(value is null ? somewhere : value),
                Bytes = (nuint)record.Value.Length,
            };
            var used = 6;
            if (record.HasKey)
            {
                fields[used++] = new NativeField
                {
                    Kind = FieldKind.Key,
                    Pointer = (nint)(key is null ? somewhere : key),
                    Bytes = (nuint)record.Key.Length,
                };
            }

            if (headers != 0) fields[used++] = new NativeField { Kind = FieldKind.Headers, Pointer = headers };
            var failure = Rdkafka.Produce(client.Handle, fields, (nuint)used);
            if (failure == 0) return 0;
            var code = Rdkafka.ErrorCode(failure);
            Rdkafka.ErrorDestroy(failure);
            if (headers != 0) Rdkafka.HeadersDestroy(headers);
            return code;
        }
    }

    private static nint Headers(RecordView record, byte* somewhere)
    {
        if (record.HeaderCount == 0) return 0;
        var headers = Rdkafka.HeadersNew((nuint)record.HeaderCount);
        foreach (var header in record.Headers)
        {
            fixed (byte* name = header.Name, value = header.Value)
            {
                Rdkafka.HeaderAdd(headers, name is null ? somewhere : name, header.Name.Length,
                    value is null ? somewhere : value, header.Value.Length);
            }
        }

        return headers;
    }
}
