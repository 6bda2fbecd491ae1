using Apache.Arrow;
using Millrace.Batch.Frames;

namespace Millrace.Batch;

/// <summary>Runs SQL over the archive.</summary>
public interface IBatchEngine
{
    /// <summary>
    /// Starts the statement; named parameters are written <c>$name</c> in the text. A statement that the engine refuses
    /// is a <see cref="Primitives.MillraceException"/> BA-0001 with the engine's own message.
    /// </summary>
    ValueTask<IBatchResult> QueryAsync(BatchQuery query, CancellationToken ct = default);

    /// <summary>
    /// Runs the statement and writes its rows as Parquet objects of new names below the prefix, where nothing must be
    /// yet. When it fails, objects may have been left there.
    /// </summary>
    ValueTask<BatchWritten> WriteParquetAsync(BatchQuery query, BatchOutput output, CancellationToken ct = default);

    /// <summary>How the engine would run the statement, in its own words.</summary>
    ValueTask<string> ExplainAsync(BatchQuery query, CancellationToken ct = default);
}

/// <param name="Sql">One SELECT, in the dialect that docs/sql-batch.md describes.</param>
/// <param name="Parameters">Values by name: string, long, double, bool, DateTimeOffset or null.</param>
/// <param name="RowsMax">The result is cut after this many rows; 0 means all.</param>
public sealed record BatchQuery(
    string Sql, IReadOnlyDictionary<string, object?>? Parameters = null, long RowsMax = 0)
{
    /// <summary>Which versions of the tables are read; null: the newest.</summary>
    public BatchAsOf? AsOf { get; init; }

    /// <summary>Only the columns are asked for: there are no rows, and none is computed.</summary>
    public bool IsSchemaOnly { get; init; }

    /// <summary>Told now and then how far the statement is; not every engine knows.</summary>
    public IProgress<BatchProgress>? Progress { get; init; }

    /// <summary>The steps that the text says, for an engine that takes them as they are.</summary>
    internal PlanNode? Plan { get; init; }
}

/// <summary>How far a statement is: parts of its work that are done, of those that are known so far.</summary>
public readonly record struct BatchProgress(long Done, long Total, long BytesRead);

/// <param name="KeyPrefix">Below this, without a slash at its end.</param>
/// <param name="PartitionBy">Columns whose values become folders <c>name=value</c> and leave the files.</param>
public sealed record BatchOutput(string KeyPrefix, params IReadOnlyList<string> PartitionBy);

/// <summary>A result as it streams in.</summary>
public interface IBatchResult : IAsyncDisposable
{
    Schema Schema { get; }

    IAsyncEnumerable<RecordBatch> Batches { get; }
}

public sealed record BatchWritten(long Rows, IReadOnlyList<string> Keys, long Bytes);
