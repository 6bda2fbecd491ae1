using System.Diagnostics;

namespace Millrace.Contracts.Tracing;

/// <summary>What is kept of a traced record for as long as a stage works on it.</summary>
public readonly record struct TracedRecord(ActivityContext Parent, TopicPartition Partition, long Offset)
{
    /// <summary>False when the record is not traced.</summary>
    public static bool TryRead(TopicPartition partition, RecordView record, out TracedRecord traced)
    {
        traced = default;
        if (!record.TryGetHeader(TelemetryHeaders.TraceParent, out var value)) return false;
        if (!MessageSpans.TryParse(value, out var parent)) return false;
        traced = new TracedRecord(parent, partition, record.Offset);
        return parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
    }
}
