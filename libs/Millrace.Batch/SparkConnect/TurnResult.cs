using System.Runtime.CompilerServices;
using Apache.Arrow;

namespace Millrace.Batch.SparkConnect;

/// <summary>A result within its statement's turn, which ends with it.</summary>
internal sealed class TurnResult(BatchTurn turn, SparkResult result, long rowsMax) : IBatchResult
{
    public Schema Schema => result.Schema;

    public IAsyncEnumerable<RecordBatch> Batches => ReadAsync();

    public async ValueTask DisposeAsync()
    {
        await result.DisposeAsync().ConfigureAwait(false);
        await turn.DisposeAsync().ConfigureAwait(false);
    }

    private async IAsyncEnumerable<RecordBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(turn.Token, ct);
        await using var batches = result.ReadAsync(either.Token).GetAsyncEnumerator(either.Token);
        var left = rowsMax > 0 ? rowsMax : long.MaxValue;
        while (left > 0
            && await turn.AwaitAsync(() => batches.MoveNextAsync().AsTask()).ConfigureAwait(false))
        {
            var batch = batches.Current;
            yield return batch.Length <= left ? batch : batch.Slice(0, (int)left);
            left -= batch.Length;
        }
    }
}
