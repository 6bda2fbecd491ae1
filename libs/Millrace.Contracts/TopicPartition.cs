namespace Millrace.Contracts;

/// <summary>One partition of one topic of the event log.</summary>
public readonly record struct TopicPartition(string Topic, int Partition) : IComparable<TopicPartition>
{
    public int CompareTo(TopicPartition other)
    {
        var byTopic = string.CompareOrdinal(Topic, other.Topic);
        return byTopic != 0 ? byTopic : Partition.CompareTo(other.Partition);
    }

    public override string ToString() => $"{Topic}/{Partition}";
}

/// <summary>A position in a partition: the offset of the next record.</summary>
public readonly record struct PartitionOffset(TopicPartition Partition, long Offset);
