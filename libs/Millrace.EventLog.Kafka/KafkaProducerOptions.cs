using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka;

/// <summary>How records are compressed on their way and in the log.</summary>
public enum KafkaCompression
{
    None,
    Lz4,
    Zstd,
    Snappy,
    Gzip,
}

/// <summary>How records are written; section EventLog:Kafka:Producer.</summary>
public sealed class KafkaProducerOptions
{
    /// <summary>None, Lz4, Zstd, Snappy or Gzip.</summary>
    public KafkaCompression Compression { get; set; } = KafkaCompression.Lz4;

    /// <summary>
    /// How long a record may wait for others to travel with it, 0 to 5 ms. What waits for an answer anyway travels
    /// together without it; with none at all, an append's first record leaves before the others are handed over.
    /// </summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMicroseconds(100);

    /// <summary>
    /// Producers that share the partitions, each with a connection to every broker. More of them spare a hub of many
    /// partitions, each with little to write, the wait of one partition for another.
    /// </summary>
    [Range(1, 32)]
    public int Clients { get; set; } = 4;

    /// <summary>Bytes of records that wait for the brokers; beyond them, appends wait for room.</summary>
    public ByteSize QueueBytesMax { get; set; } = ByteSize.FromMiB(64);

    /// <summary>Records that wait for the brokers; beyond them, appends wait for room.</summary>
    [Range(1, 10_000_000)]
    public int QueueRecordsMax { get; set; } = 500_000;

    /// <summary>The most bytes that one record may have, headers included; topics are made to take as much.</summary>
    public ByteSize RecordBytesMax { get; set; } = ByteSize.FromMiB(8);
}
