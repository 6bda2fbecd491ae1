using Apache.Arrow;

namespace Millrace.Batch;

/// <summary>Runs SQL over the archive.</summary>
public interface IBatchEngine
{
    /// <summary>
    /// Starts the statement; named parameters are written <c>$name</c> in the text. A statement that the engine refuses
    /// is a <see cref="Primitives.MillraceException"/> BA-0001 with the engine's own message.
    /// </summary>
    ValueTask<IBatchResult> QueryAsync(BatchQuery query, CancellationToken ct = default);

    /// <summary>Runs the statement and writes its rows as one Parquet object (or several) below the key.</summary>
    ValueTask<BatchWritten> WriteParquetAsync(BatchQuery query, string keyPrefix, CancellationToken ct = default);
}

/// <param name="Sql">One SELECT, in the dialect that docs/cold-path.md describes.</param>
/// <param name="Parameters">Values by name: string, long, double, bool, DateTimeOffset or null.</param>
/// <param name="RowsMax">The result is cut after this many rows; 0 means all.</param>
public sealed record BatchQuery(
    string Sql, IReadOnlyDictionary<string, object?>? Parameters = null, long RowsMax = 0);

/// <summary>A result as it streams in.</summary>
public interface IBatchResult : IAsyncDisposable
{
    Schema Schema { get; }

    IAsyncEnumerable<RecordBatch> Batches { get; }
}

public sealed record BatchWritten(long Rows, IReadOnlyList<string> Keys, long Bytes);
