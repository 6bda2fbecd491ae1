using System.Buffers;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local;

/// <summary>
/// Walks a file forward through one buffer, so that small steps do not each cost a call to the system.
/// </summary>
internal sealed class FileWindow(ILogFile file) : IDisposable
{
    private const int WindowBytes = 1 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _start;
    private int _filled;

    public long Length { get; } = file.Length;

    /// <summary>The bytes from the position on, as many as asked for; fewer only where the file ends.</summary>
    public ReadOnlySpan<byte> At(long position, int count)
    {
        count = (int)Math.Clamp(Length - position, 0, count);
        if (position < _start || position + count > _start + _filled) Load(position, count);
        return _buffer.AsSpan((int)(position - _start), Math.Min(count, _filled - (int)(position - _start)));
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Load(long position, int count)
    {
        if (count > _buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(count);
        }

        _start = position;
        _filled = file.Read(_buffer, position);
    }
}
