using System.Runtime.InteropServices;
using ParquetSharp;
using Encoding = System.Text.Encoding;

namespace Millrace.Delta.Checkpoints;

/// <summary>Texts as UTF-8 where the garbage collector does not move them, for the encoder to point into.</summary>
internal sealed class PinnedTexts
{
    private const int ChunkBytes = 1 << 20;

    private readonly List<byte[]> _chunks = [];
    private int _used = ChunkBytes;

    public ByteArray Add(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (_chunks.Count == 0 || _used + bytes > _chunks[^1].Length)
        {
            _chunks.Add(GC.AllocateUninitializedArray<byte>(Math.Max(ChunkBytes, bytes), pinned: true));
            _used = 0;
        }

        var chunk = _chunks[^1];
        Encoding.UTF8.GetBytes(text, chunk.AsSpan(_used));
        var place = new ByteArray(Marshal.UnsafeAddrOfPinnedArrayElement(chunk, 0) + _used, bytes);
        _used += bytes;
        return place;
    }
}
