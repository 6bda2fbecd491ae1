using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local;

/// <summary>
/// The file that a partition's batches are written to. Zeros are written ahead of a small batch that reaches the file's
/// end: the batches that then take their place change neither the file's length nor its blocks, and their sync has only
/// themselves to write. It takes about half the time of one that makes the file longer. A large batch has no need.
/// </summary>
internal sealed class ActiveFile(LogRuntime runtime, ILogFile file, long length) : IDisposable
{
    private const int ZeroBytes = 64 << 10;

    /// <summary>Room is made for batches of which so many fit.</summary>
    private const int SmallBatches = 32;

    private static readonly byte[] Zeros = new byte[ZeroBytes];

    private long _length = length;

    public static ActiveFile Open(LogRuntime runtime, string path)
    {
        var file = runtime.Disk.Open(path);
        return new ActiveFile(runtime, file, file.Length);
    }

    /// <summary>Writes the batch, and room for those to come. Nothing of it is durable yet.</summary>
    public void Append(ReadOnlySpan<byte> batch, long position)
    {
        file.Write(batch, position);
        var end = position + batch.Length;
        if (end <= _length) return;
        _length = end;
        FillAhead(end, batch.Length);
    }

    public void Sync() => file.Sync();

    public void Truncate(long length)
    {
        file.Truncate(length);
        _length = length;
    }

    public void Dispose() => file.Dispose();

    /// <summary>As much again as the file has, so that a topic with few records stays small.</summary>
    private void FillAhead(long end, int batchBytes)
    {
        var most = runtime.Options.FillAheadBytesMax.Bytes;
        if (batchBytes > most / SmallBatches) return;
        var room = Math.Min(Math.Min(most, end), runtime.Options.SegmentBytesMax.Bytes - end);
        try
        {
            for (var to = end + room; _length < to;)
            {
                var count = (int)Math.Min(ZeroBytes, to - _length);
                file.Write(Zeros.AsSpan(0, count), _length);
                _length += count;
            }
        }
        catch (DiskFullException)
        {
            // The batch has its place; whether the next one finds room will be seen then.
        }
    }
}
