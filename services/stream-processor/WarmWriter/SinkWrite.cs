using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>What was read from a record, beside the record's offset.</summary>
internal readonly record struct ReadItem<T>(long Offset, T Item);

/// <summary>
/// A write of many rows into a store that may refuse some of them for good: those go elsewhere, each alone, and all
/// others are stored.
/// </summary>
internal sealed class SinkWrite<T>
{
    public required Func<T, long> OffsetOf { get; init; }

    /// <summary>Stores rows together with the position behind them; a failure that passes is tried again.</summary>
    public required Func<List<T>, SinkPosition, ValueTask> Store { get; init; }

    /// <summary>The position before a record, when all before it are stored.</summary>
    public required Func<long, SinkPosition> Until { get; init; }

    /// <summary>Takes a row that the store refused.</summary>
    public required Func<T, Error, ValueTask> Refuse { get; init; }

    /// <summary>How many rows were refused.</summary>
    public async ValueTask<int> RunAsync(List<T> rows, SinkPosition position)
    {
        try
        {
            await Store(rows, position);
            return 0;
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.RowRefused && rows.Count > 1)
        {
            // Somewhere among them is a row that will never do: halves of halves tell which.
            var half = rows.Count / 2;
            var refused = await RunAsync(rows[..half], Until(OffsetOf(rows[half])));
            return refused + await RunAsync(rows[half..], position);
        }
        catch (MillraceException e) when (e.Error.Definition == StoreErrors.RowRefused && rows.Count == 1)
        {
            await Refuse(rows[0], e.Error);
            await Store([], position);
            return 1;
        }
    }
}

/// <summary>Rows that a store refused, as dead letters.</summary>
internal sealed class RefusedRows(
    DeadLetterWriter deadLetters, IReadOnlyList<RecordBatch> batches, TimeProvider time)
{
    /// <summary>The record at this offset becomes a letter.</summary>
    public ValueTask WriteAsync(long offset, Error error) =>
        deadLetters.WriteAsync([Letter(offset, error)], CancellationToken.None);

    private DeadLetter Letter(long offset, Error error)
    {
        foreach (var batch in batches)
        {
            foreach (var record in batch)
            {
                if (record.Offset != offset) continue;
                return DeadLetter.Of(record, batch.Partition, DeadLetterStages.WarmWriter,
                    StreamProcessorErrors.RowRefused.Code, error.ToString(), time.GetUtcNow());
            }
        }

        throw new InvalidOperationException($"Offset {offset} is not in the batches that it came from.");
    }
}
