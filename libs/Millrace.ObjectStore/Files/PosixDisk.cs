using System.Runtime.InteropServices;

namespace Millrace.ObjectStore.Files;

/// <summary>
/// The disk as POSIX has it: link(2) never replaces, and a folder is synced through a descriptor of its own.
/// </summary>
internal sealed partial class PosixDisk : IDisk
{
    private const int ReadOnly = 0;
    private const int FileExists = 17;

    public FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        Share = FileShare.Read,
        BufferSize = 0,
    });

    public void Sync(FileStream file) => file.Flush(flushToDisk: true);

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public void SyncFolder(string path)
    {
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0) throw Failure(path);
        try
        {
            if (FSync(descriptor) != 0) throw Failure(path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    public void Replace(string from, string to) => File.Move(from, to, overwrite: true);

    public bool TryLink(string from, string to)
    {
        if (Link(from, to) == 0) return true;
        if (Marshal.GetLastPInvokeError() == FileExists) return false;
        throw Failure(to);
    }

    public void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // No folder, so no file either.
        }
    }

    private static IOException Failure(string path) =>
        new($"{path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
