using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>Asking for offsets; these calls block.</summary>
internal static unsafe partial class Rdkafka
{
    [LibraryImport(Library, EntryPoint = "rd_kafka_query_watermark_offsets")]
    public static partial int QueryRange(
        nint client, byte* topic, int partition, long* first, long* next, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_offsets_for_times")]
    public static partial int OffsetsForTimes(nint client, NativePartitions* partitions, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_new")]
    public static partial NativePartitions* PartitionsNew(int size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_destroy")]
    public static partial void PartitionsDestroy(NativePartitions* partitions);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_partition_list_add")]
    public static partial NativePartition* PartitionsAdd(NativePartitions* partitions, byte* topic, int partition);
}
