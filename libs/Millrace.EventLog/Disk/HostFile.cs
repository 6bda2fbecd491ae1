using Microsoft.Win32.SafeHandles;

namespace Millrace.EventLog.Disk;

/// <summary>A file of this machine, written at positions and synced without its times.</summary>
internal sealed class HostFile(SafeFileHandle handle) : ILogFile
{
    private const int NoSpace = 28, QuotaReached = 122, WindowsDiskFull = unchecked((int)0x80070070);

    public static HostFile Open(string path, FileMode mode)
    {
        // Sharing all means no lock of its own: readers and the writer hold the same file open.
        const FileShare all = FileShare.ReadWrite | FileShare.Delete;
        SafeFileHandle? handle = null;
        Guarded(() => handle = File.OpenHandle(path, mode, FileAccess.ReadWrite, all));
        return new HostFile(handle!);
    }

    public long Length => RandomAccess.GetLength(handle);

    public int Read(Span<byte> target, long position)
    {
        var total = 0;
        while (total < target.Length)
        {
            var read = RandomAccess.Read(handle, target[total..], position + total);
            if (read == 0) break;
            total += read;
        }

        return total;
    }

    public void Write(ReadOnlySpan<byte> bytes, long position)
    {
        try
        {
            RandomAccess.Write(handle, bytes, position);
        }
        catch (IOException e) when (IsFull(e))
        {
            throw new DiskFullException(e.Message, e);
        }
    }

    public void Truncate(long length) => Guarded(() => RandomAccess.SetLength(handle, length));

    public void Sync()
    {
        if (OperatingSystem.IsLinux()) PosixSync.Data(handle);
        else RandomAccess.FlushToDisk(handle);
    }

    public void Dispose() => handle.Dispose();

    internal static void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (IOException e) when (IsFull(e))
        {
            throw new DiskFullException(e.Message, e);
        }
    }

    internal static bool IsFull(IOException e) => e.HResult is NoSpace or QuotaReached or WindowsDiskFull;
}
