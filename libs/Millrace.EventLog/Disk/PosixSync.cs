using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Millrace.EventLog.Disk;

/// <summary>The two syncs that .NET has no call for: fdatasync, and fsync of a folder.</summary>
internal static partial class PosixSync
{
    private const int Interrupted = 4, NoPermission = 13, NoSpace = 28, QuotaReached = 122;

    /// <summary>
    /// Only an interrupted call is made again. After any other error the system may have dropped what was to be
    /// written, and a second call would report success for it.
    /// </summary>
    public static void Data(SafeFileHandle handle)
    {
        while (FDataSync(handle) != 0) ThrowUnlessInterrupted("fdatasync");
    }

    public static void Folder(string path)
    {
        var descriptor = Open(path, 0);
        if (descriptor < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw errno == NoPermission ? new UnauthorizedAccessException(path) : Failed("open", errno);
        }

        try
        {
            while (FSync(descriptor) != 0) ThrowUnlessInterrupted("fsync");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static void ThrowUnlessInterrupted(string call)
    {
        var errno = Marshal.GetLastPInvokeError();
        if (errno != Interrupted) throw Failed(call, errno);
    }

    private static IOException Failed(string call, int errno)
    {
        var message = $"{call} failed: {Marshal.GetPInvokeErrorMessage(errno)}";
        return errno is NoSpace or QuotaReached ? new DiskFullException(message) : new IOException(message, errno);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
