namespace Millrace.Saql.Engine;

/// <summary>Bytes of several rows; used again when the last of them is gone.</summary>
internal sealed class RowChunk(int size)
{
    public byte[] Bytes { get; } = new byte[size];

    public int Used { get; set; }

    public int Live { get; set; }
}

/// <summary>Where the bytes of kept rows lie. In the steady state nothing is allocated.</summary>
internal sealed class RowChunks
{
    private const int ChunkBytes = 64 * 1024;
    private const int SpareMax = 64;

    private readonly Stack<RowChunk> _spare = new();
    private RowChunk _current = new(ChunkBytes);

    /// <summary>Where to write the next row, of at most so many bytes.</summary>
    public Span<byte> Room(int size)
    {
        if (_current.Bytes.Length - _current.Used < size)
        {
            if (size > ChunkBytes) _current = new RowChunk(size);
            else _current = _spare.Count > 0 ? _spare.Pop() : new RowChunk(ChunkBytes);
            _current.Used = 0;
        }

        return _current.Bytes.AsSpan(_current.Used);
    }

    /// <summary>Keeps what was written to <see cref="Room"/>, until it is released.</summary>
    public RowChunk Take(int size, out int start)
    {
        start = _current.Used;
        _current.Used += size;
        _current.Live++;
        return _current;
    }

    /// <summary>One row of the chunk is gone. Its bytes stay good until the next is written.</summary>
    public void Release(RowChunk chunk)
    {
        if (--chunk.Live > 0) return;
        if (chunk == _current) _current.Used = 0;
        else if (chunk.Bytes.Length == ChunkBytes && _spare.Count < SpareMax) _spare.Push(chunk);
    }
}
