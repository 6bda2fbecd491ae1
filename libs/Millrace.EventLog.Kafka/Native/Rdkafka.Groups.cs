using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>Committed offsets of groups, with their metadata.</summary>
internal static unsafe partial class Rdkafka
{
    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_new")]
    public static partial NativePartitions* PartitionsNew(int size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_destroy")]
    public static partial void PartitionsDestroy(NativePartitions* partitions);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_add")]
    public static partial NativePartition* PartitionsAdd(NativePartitions* partitions, byte* topic, int partition);

    [LibraryImport(Library, EntryPoint = "rd_kafka_AlterConsumerGroupOffsets_new")]
    public static partial nint AlterOffsetsNew(byte* group, NativePartitions* partitions);

    [LibraryImport(Library, EntryPoint = "rd_kafka_AlterConsumerGroupOffsets_destroy")]
    public static partial void AlterOffsetsDestroy(nint request);

    [LibraryImport(Library, EntryPoint = "rd_kafka_AlterConsumerGroupOffsets")]
    public static partial void AlterOffsets(nint client, nint* requests, nuint count, nint options, nint queue);

    [LibraryImport(Library, EntryPoint = "rd_kafka_event_AlterConsumerGroupOffsets_result")]
    public static partial nint AlterOffsetsResult(nint @event);

    [LibraryImport(Library, EntryPoint = "rd_kafka_AlterConsumerGroupOffsets_result_groups")]
    public static partial nint* AlterOffsetsGroups(nint result, nuint* count);

    [LibraryImport(Library, EntryPoint = "rd_kafka_ListConsumerGroupOffsets_new")]
    public static partial nint ListOffsetsNew(byte* group, NativePartitions* partitions);

    [LibraryImport(Library, EntryPoint = "rd_kafka_ListConsumerGroupOffsets_destroy")]
    public static partial void ListOffsetsDestroy(nint request);

    [LibraryImport(Library, EntryPoint = "rd_kafka_ListConsumerGroupOffsets")]
    public static partial void ListOffsets(nint client, nint* requests, nuint count, nint options, nint queue);

    [LibraryImport(Library, EntryPoint = "rd_kafka_event_ListConsumerGroupOffsets_result")]
    public static partial nint ListOffsetsResult(nint @event);

    [LibraryImport(Library, EntryPoint = "rd_kafka_ListConsumerGroupOffsets_result_groups")]
    public static partial nint* ListOffsetsGroups(nint result, nuint* count);

    /// <summary>0 when there is none.</summary>
    [LibraryImport(Library, EntryPoint = "rd_kafka_group_result_error")]
    public static partial nint GroupError(nint group);

    [LibraryImport(Library, EntryPoint = "rd_kafka_group_result_partitions")]
    public static partial NativePartitions* GroupPartitions(nint group);

    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_poll")]
    public static partial nint QueuePoll(nint queue, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_event_error")]
    public static partial int EventError(nint @event);

    [LibraryImport(Library, EntryPoint = "rd_kafka_event_destroy")]
    public static partial void EventDestroy(nint @event);
}
