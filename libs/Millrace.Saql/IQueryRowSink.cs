using Millrace.Contracts;

namespace Millrace.Saql;

/// <summary>Takes what a query makes. Spans are valid during the call only.</summary>
public interface IQueryRowSink
{
    void Row(in QueryRow row);

    /// <summary>A record, or one element of it, that could not be decoded or failed in an expression.</summary>
    void Failed(in QueryRowFailure failure);

    /// <summary>An event that the time policies dropped.</summary>
    /// <param name="element">Which element of an array body.</param>
    /// <param name="isLate">It was read as a <see cref="LateRecord"/>.</param>
    void Dropped(TopicPartition source, long offset, int element, bool isLate);
}

/// <summary>One row of one output.</summary>
public readonly ref struct QueryRow
{
    /// <summary>Index into <see cref="QueryPlan.Outputs"/>.</summary>
    public required int Output { get; init; }

    /// <summary>System.Timestamp() of the row, milliseconds since 1970 UTC.</summary>
    public required long TimestampMs { get; init; }

    /// <summary>The row's identity in UTF-8, see <see cref="RowIdentity"/>.</summary>
    public required ReadOnlySpan<byte> RowId { get; init; }

    /// <summary>Whether events of one device alone made the row, and not of several or none.</summary>
    public required bool HasDevice { get; init; }

    /// <summary>That device, in UTF-8.</summary>
    public required ReadOnlySpan<byte> DeviceId { get; init; }

    /// <summary>
    /// What the row comes of: when whoever takes it has to refuse it, that is a <see cref="QueryRowFailure"/> of this
    /// record and element.
    /// </summary>
    public required TopicPartition Source { get; init; }

    /// <inheritdoc cref="Source"/>
    public required long Offset { get; init; }

    /// <inheritdoc cref="Source"/>
    public required int Element { get; init; }

    /// <summary>It comes of a <see cref="LateRecord"/>.</summary>
    public required bool IsLate { get; init; }

    /// <summary>The row as a JSON object in UTF-8, fields in SELECT order.</summary>
    public required ReadOnlySpan<byte> Json { get; init; }
}

/// <param name="Element">
/// Which element of an array body, 0 for a body that is one object; -1 for the whole record. A window's row that
/// fails names the first event of its group.
/// </param>
/// <param name="Code">The stable code, SQ-nnnn.</param>
/// <param name="IsLate">It failed as a <see cref="LateRecord"/>.</param>
/// <param name="IsTaken">The query had taken the row; otherwise its body or its time could not be read.</param>
public readonly record struct QueryRowFailure(
    TopicPartition Source, long Offset, int Element, string Code, string Reason, bool IsLate,
    bool IsTaken)
{
    /// <summary>
    /// The row fails where another key takes it as well, and counts there. It is told here too, because what failed may
    /// have come out otherwise there.
    /// </summary>
    public bool CountsElsewhere { get; init; }
}
