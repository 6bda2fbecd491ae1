using System.Buffers;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// Records that the socket did not take, in their order. What OpenSSL gives away is taken whole, so that it is never in
/// the middle of a record when it is to read, or to say something else. A buffer is held only while there is something
/// in it.
/// </summary>
internal struct Backlog
{
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly int Count => _end - _start;

    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, Count);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var count = Count;
        if (_buffer is null || _end + bytes.Length > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(count + bytes.Length);
            Bytes.CopyTo(larger);
            Release();
            (_buffer, _end) = (larger, count);
        }

        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    public void Take(int count)
    {
        _start += count;
        if (_start == _end) Release();
    }

    private void Release()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        this = default;
    }
}
