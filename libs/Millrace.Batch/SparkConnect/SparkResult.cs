using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>Rows as the server makes them, batch by batch.</summary>
internal sealed class SparkResult : IAsyncDisposable
{
    private readonly SparkExecution _execution;
    private RecordBatch? _first;

    private SparkResult(SparkExecution execution, Schema schema, RecordBatch? first) =>
        (_execution, Schema, _first) = (execution, schema, first);

    public Schema Schema { get; }

    /// <summary>Waits for the first batch, which there is even when there are no rows.</summary>
    public static async Task<SparkResult> StartAsync(SparkExecution execution, CancellationToken ct)
    {
        while (await execution.NextAsync(ct).ConfigureAwait(false) is { } response)
        {
            if (response.ResponseTypeCase != ExecutePlanResponse.ResponseTypeOneofCase.ArrowBatch) continue;
            using var reader = new ArrowStreamReader(response.ArrowBatch.Data.Memory);
            var batch = reader.ReadNextRecordBatch();
            return new SparkResult(execution, reader.Schema, batch);
        }

        throw BatchErrors.Failed.With(null, "The server sent no rows and no schema.").AsException();
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        if (_first is { Length: > 0 } first) yield return first;
        _first = null;
        while (await NextAsync(ct).ConfigureAwait(false) is { } batch) yield return batch;
    }

    public ValueTask DisposeAsync() => _execution.DisposeAsync();

    private async Task<RecordBatch?> NextAsync(CancellationToken ct)
    {
        while (await _execution.NextAsync(ct).ConfigureAwait(false) is { } response)
        {
            if (response.ResponseTypeCase != ExecutePlanResponse.ResponseTypeOneofCase.ArrowBatch) continue;

            // Each is a whole stream of its own.
            using var reader = new ArrowStreamReader(response.ArrowBatch.Data.Memory);
            if (reader.ReadNextRecordBatch() is { Length: > 0 } batch) return batch;
        }

        return null;
    }
}
