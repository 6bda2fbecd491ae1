using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using DuckDB.NET.Data;

namespace Millrace.Batch.DuckDb;

/// <summary>A result as the engine makes it, batch by batch. Ends its turn when disposed.</summary>
internal sealed class DuckDbResult : IBatchResult
{
    private readonly BatchTurn _turn;
    private readonly DuckDBCommand _command;
    private readonly IArrowArrayStream _stream;
    private readonly long _rowsMax;

    private DuckDbResult(BatchTurn turn, DuckDBCommand command, IArrowArrayStream stream, long rowsMax)
    {
        _turn = turn;
        _command = command;
        _stream = stream;
        _rowsMax = rowsMax;
    }

    public Schema Schema => _stream.Schema;

    public IAsyncEnumerable<RecordBatch> Batches => ReadAsync();

    /// <summary>Starts the statement; blocks until the first rows can be asked for.</summary>
    public static IBatchResult Start(DuckDbSession session, BatchTurn turn, BatchQuery query)
    {
        var command = session.Command(query.Sql, query.Parameters);
        try
        {
            using var interrupt = turn.Token.Register(command.Cancel);
            return new DuckDbResult(turn, command, command.ExecuteArrowStream(), query.RowsMax);
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _stream.Dispose();
        _command.Dispose();
        return _turn.DisposeAsync();
    }

    private async IAsyncEnumerable<RecordBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        await using var interrupt = _turn.Token.Register(_command.Cancel);
        var left = _rowsMax > 0 ? _rowsMax : long.MaxValue;
        while (left > 0)
        {
            ct.ThrowIfCancellationRequested();
            var batch = await _turn
                .RunAsync(() => _stream.ReadNextRecordBatchAsync(ct).AsTask().GetAwaiter().GetResult())
                .ConfigureAwait(false);
            if (batch is null) yield break;
            if (batch.Length == 0) continue;
            yield return batch.Length <= left ? batch : batch.Slice(0, (int)left);
            left -= batch.Length;
        }
    }
}
