using Millrace.Contracts;

namespace Millrace.EventLog;

public enum AssignmentKind
{
    Assigned,
    Revoked,
}

/// <summary>Partitions that came to this process, or go from it.</summary>
public sealed class AssignmentChange(AssignmentKind kind, IReadOnlyList<TopicPartition> partitions, Action completed)
{
    public AssignmentKind Kind { get; } = kind;

    public IReadOnlyList<TopicPartition> Partitions { get; } = partitions;

    /// <summary>Says that the work on revoked partitions has stopped; another process may take them now.</summary>
    public void Complete() => completed();
}
