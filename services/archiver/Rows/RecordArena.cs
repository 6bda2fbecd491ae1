using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ParquetSharp;

namespace Millrace.Archiver.Rows;

/// <summary>
/// Holds copies of log batches where the garbage collector does not move them, so that the Parquet encoder can be given
/// pointers into them. Chunks are kept for the next fill.
/// </summary>
/// <param name="bytesMax">About the most that it will hold; it grows by an eighth of that, or by 4 MiB.</param>
internal sealed unsafe class RecordArena(long bytesMax = long.MaxValue)
{
    private const int ChunkBytesMin = 64 << 10, ChunkBytesMax = 4 << 20;

    private readonly int _chunkBytes = (int)Math.Clamp(bytesMax / 8, ChunkBytesMin, ChunkBytesMax);
    private readonly List<byte[]> _chunks = [];
    private int _chunk;
    private int _used;

    /// <summary>Copies the bytes in; they stay at this address until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        while (_chunk < _chunks.Count && _chunks[_chunk].Length - _used < bytes.Length) Next();
        if (_chunk == _chunks.Count)
            _chunks.Add(GC.AllocateUninitializedArray<byte>(Math.Max(_chunkBytes, bytes.Length), pinned: true));
        var copy = _chunks[_chunk].AsMemory(_used, bytes.Length);
        bytes.CopyTo(copy.Span);
        _used += bytes.Length;
        return copy;
    }

    /// <summary>The same for a value that the Parquet decoder points to, until its page is gone.</summary>
    public ByteArray Keep(ByteArray value)
    {
        var copy = Copy(new ReadOnlySpan<byte>((void*)value.Pointer, value.Length)).Span;
        return new ByteArray((IntPtr)AddressOf(copy), value.Length);
    }

    /// <summary>The address of bytes within the arena.</summary>
    public static byte* AddressOf(ReadOnlySpan<byte> inArena) =>
        (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(inArena));

    public void Clear()
    {
        // A chunk made for one huge batch is not worth keeping.
        _chunks.RemoveAll(chunk => chunk.Length > _chunkBytes);
        _chunk = 0;
        _used = 0;
    }

    private void Next()
    {
        _chunk++;
        _used = 0;
    }
}
