using System.Buffers;
using Millrace.Contracts;

namespace Millrace.Saql;

/// <summary>
/// Evaluates one plan over the records of its sources. What it emits depends on the records, the marks and their
/// offsets alone: not on the clock, on how records are cut into batches, or on which source is read first.
/// For one caller at a time.
/// </summary>
public sealed class QueryEngine
{
    /// <param name="sources">
    /// Every partition that will be read, for each input: one partition for <see cref="QueryScope.PerPartition"/>.
    /// </param>
    public QueryEngine(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> sources, IQueryRowSink sink) =>
        throw new NotSupportedException("The engine is not there yet.");

    /// <summary>The least of the sources' watermarks, in milliseconds since 1970; long.MinValue before the first.</summary>
    public long WatermarkMs => throw new NotSupportedException();

    /// <summary>Whether rows or groups wait for the watermark, so that an idle source should be marked.</summary>
    public bool AwaitsWatermark => throw new NotSupportedException();

    /// <summary>
    /// The next records of the source. Records before its position are passed over. Rows come out of the sink before
    /// this returns.
    /// </summary>
    public void Process(RecordBatch batch) => throw new NotSupportedException();

    /// <summary>
    /// Records of the source from this offset on arrive no earlier than the time. Takes effect when the source's
    /// position reaches the offset; at once when it stands there.
    /// </summary>
    public void Mark(TopicPartition source, long offset, long arrivalMs) => throw new NotSupportedException();

    /// <summary>The next offset of each source: what a checkpoint names together with <see cref="Save"/>.</summary>
    public IReadOnlyList<PartitionOffset> Positions => throw new NotSupportedException();

    /// <summary>No more input comes: everything that waits is answered.</summary>
    public void Complete() => throw new NotSupportedException();

    /// <summary>Writes the whole state, in a format that names its version.</summary>
    public void Save(IBufferWriter<byte> target) => throw new NotSupportedException();

    /// <summary>Takes a state written by <see cref="Save"/> of the same plan, before the first record.</summary>
    public void Restore(ReadOnlySpan<byte> state) => throw new NotSupportedException();
}

/// <param name="Input">The name that the query uses in FROM.</param>
/// <param name="StartOffset">Where reading begins when no state is restored.</param>
public sealed record QuerySource(string Input, TopicPartition Partition, long StartOffset);

/// <param name="Name">The query's name and version go into row ids.</param>
public sealed record QueryEngineOptions(string Name, int Version)
{
    public TimeSpan LateTolerance { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan OutOfOrderTolerance { get; init; } = TimeSpan.Zero;

    /// <summary>Late and out-of-order events are dropped (and counted) instead of adjusted.</summary>
    public bool DropOutOfOrder { get; init; }
}

/// <summary>Takes what a query makes. Spans are valid during the call only.</summary>
public interface IQueryRowSink
{
    void Row(in QueryRow row);

    /// <summary>A record, or one element of it, that could not be decoded or failed in an expression.</summary>
    void Failed(in QueryRowFailure failure);

    /// <summary>An event that the time policies dropped.</summary>
    void Dropped(TopicPartition source, long offset);
}

/// <summary>One row of one output.</summary>
public readonly ref struct QueryRow
{
    /// <summary>Index into <see cref="QueryPlan.Outputs"/>.</summary>
    public required int Output { get; init; }

    /// <summary>System.Timestamp() of the row, milliseconds since 1970 UTC.</summary>
    public required long TimestampMs { get; init; }

    /// <summary>The row's identity, see <see cref="RowIdentity"/>.</summary>
    public required string RowId { get; init; }

    /// <summary>The device whose events alone made the row; null when there were several or none.</summary>
    public required string? DeviceId { get; init; }

    /// <summary>The row as a JSON object in UTF-8, fields in SELECT order.</summary>
    public required ReadOnlySpan<byte> Json { get; init; }
}

/// <param name="Element">Which element of an array body; -1 for the whole record.</param>
/// <param name="Code">The stable code, SQ-nnnn.</param>
public readonly record struct QueryRowFailure(
    TopicPartition Source, long Offset, int Element, string Code, string Reason);
