using Apache.Arrow;
using Millrace.Batch;
using Millrace.ObjectStore;
using ParquetSharp.Arrow;

namespace Millrace.ColdPath.Models;

/// <summary>
/// Rows that no statement makes, as Parquet objects below a key. What is held is one object, which is put when its rows
/// have the size.
/// </summary>
/// <param name="bytesMax">Of the rows of an object, as they are in memory.</param>
internal sealed class ParquetParts(IObjectStore store, string prefix, Schema schema, long bytesMax) : IDisposable
{
    private readonly List<string> _keys = [];
    private Part? _part;
    private long _rows, _bytes;

    public async ValueTask AddAsync(RecordBatch batch, CancellationToken ct)
    {
        _part ??= new Part(schema);
        _part.Add(batch);
        _rows += batch.Length;
        if (_part.Held >= bytesMax) await PutAsync(_part, ct).ConfigureAwait(false);
    }

    /// <summary>Writes what is held; nothing can be added after.</summary>
    public async ValueTask<BatchWritten> CompleteAsync(CancellationToken ct)
    {
        if (_part is not null) await PutAsync(_part, ct).ConfigureAwait(false);
        return new BatchWritten(_rows, _keys, _bytes);
    }

    public void Dispose() => _part?.Dispose();

    private async ValueTask PutAsync(Part part, CancellationToken ct)
    {
        var key = $"{prefix}/part-{_keys.Count:D5}.parquet";
        var content = part.Close();
        await store.PutAsync(key, content, ct).ConfigureAwait(false);
        _keys.Add(key);
        _bytes += content.Length;
        part.Dispose();
        _part = null;
    }

    private sealed class Part(Schema schema) : IDisposable
    {
        private readonly MemoryStream _file = new();
        private FileWriter? _writer;

        public long Held { get; private set; }

        public void Add(RecordBatch batch)
        {
            _writer ??= new FileWriter(_file, schema, leaveOpen: true);
            _writer.WriteRecordBatch(batch);
            Held += batch.Arrays.Sum(column => BytesOf(column.Data));
        }

        public ReadOnlyMemory<byte> Close()
        {
            _writer!.Close();
            return _file.GetBuffer().AsMemory(0, (int)_file.Length);
        }

        public void Dispose()
        {
            _writer?.Dispose();
            _file.Dispose();
        }

        private static long BytesOf(ArrayData column) => column.Buffers.Sum(buffer => (long)buffer.Length)
            + (column.Children?.Sum(BytesOf) ?? 0) + (column.Dictionary is { } words ? BytesOf(words) : 0);
    }
}
