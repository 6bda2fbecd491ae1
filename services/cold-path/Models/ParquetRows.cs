using Apache.Arrow;
using Millrace.Batch;
using Millrace.ObjectStore;
using ParquetSharp.Arrow;

namespace Millrace.ColdPath.Models;

/// <summary>Rows that no statement makes, as one Parquet object.</summary>
internal sealed class ParquetRows : IDisposable
{
    private readonly MemoryStream _bytes = new();
    private readonly FileWriter _writer;

    public ParquetRows(Schema schema) => (Schema, _writer) = (schema, new FileWriter(_bytes, schema, leaveOpen: true));

    public Schema Schema { get; }

    public long Rows { get; private set; }

    public void Add(RecordBatch batch)
    {
        _writer.WriteRecordBatch(batch);
        Rows += batch.Length;
    }

    /// <summary>Writes them below the key; nothing can be added after.</summary>
    public async ValueTask<BatchWritten> PutAsync(IObjectStore store, string prefix, CancellationToken ct)
    {
        _writer.Close();
        var key = $"{prefix}/part-00000.parquet";
        _bytes.Position = 0;
        await store.PutAsync(key, _bytes, ct).ConfigureAwait(false);
        return new BatchWritten(Rows, [key], _bytes.Length);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _bytes.Dispose();
    }
}
