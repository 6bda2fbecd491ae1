using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

internal enum ClientKind
{
    Producer = 0,
    Consumer = 1,
}

/// <summary>rd_kafka_message_t: a record that was read, or the report of one that was written.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeMessage
{
    public int Error;
    public nint Topic;
    public int Partition;
    public byte* Payload;
    public nuint PayloadBytes;
    public byte* Key;
    public nuint KeyBytes;
    public long Offset;

    /// <summary>What was given with it when it was written.</summary>
    public nint Opaque;
}

/// <summary>rd_kafka_vtype_t: which field of a record is given.</summary>
internal enum FieldKind
{
    Topic = 2,
    Partition = 3,
    Value = 4,
    Key = 5,
    Opaque = 6,
    Flags = 7,
    Timestamp = 8,
    Headers = 10,
}

/// <summary>rd_kafka_vu_t: one field of a record to be written.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct NativeField
{
    [FieldOffset(0)]
    public FieldKind Kind;

    [FieldOffset(8)]
    public nint Pointer;

    [FieldOffset(8)]
    public int Int;

    [FieldOffset(8)]
    public long Long;

    [FieldOffset(16)]
    public nuint Bytes;
}

/// <summary>rd_kafka_topic_partition_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePartition
{
    public byte* Topic;
    public int Partition;
    public long Offset;
    public byte* Metadata;
    public nuint MetadataBytes;
    public nint Opaque;
    public int Error;
    public nint Private;
}

/// <summary>rd_kafka_topic_partition_list_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePartitions
{
    public int Count;
    public int Size;
    public NativePartition* Items;
}

/// <summary>The codes of rd_kafka_resp_err_t that are told apart here.</summary>
internal static class NativeErrors
{
    public const int BadMessage = -199;
    public const int PartitionEnd = -191;
    public const int AllBrokersDown = -187;
    public const int Purged = -151;
    public const int Fatal = -150;
    public const int OffsetOutOfRange = -140;
    public const int MessageTooLarge = 10;

    /// <summary>The leader is new, and does not know yet how far its followers are.</summary>
    public const int OffsetNotAvailable = 78;
}
