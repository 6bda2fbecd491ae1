using System.Globalization;

namespace Millrace.EventLog.Disk;

/// <summary>The disk of this machine.</summary>
internal sealed class HostDisk : ILogDisk
{
    public bool FolderExists(string path) => Directory.Exists(path);

    public bool FileExists(string path) => File.Exists(path);

    public IReadOnlyList<string> Folders(string path) => Names(Directory.GetDirectories(path));

    public IReadOnlyList<string> Files(string path) => Names(Directory.GetFiles(path));

    public void CreateFolder(string path) => HostFile.Guarded(() => Directory.CreateDirectory(path));

    public ILogFile Create(string path) => HostFile.Open(path, FileMode.CreateNew);

    public ILogFile Open(string path) => HostFile.Open(path, FileMode.Open);

    public void Delete(string path) => File.Delete(path);

    public void Rename(string from, string to) => HostFile.Guarded(() => File.Move(from, to, overwrite: true));

    public void SyncFolder(string path)
    {
        if (!OperatingSystem.IsWindows()) PosixSync.Folder(path);
    }

    public long FreeBytes(string path) => new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;

    public IDisposable Lock(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw EventLogErrors.FolderLocked.With(Path.GetDirectoryName(path), Holder(path)).AsException(e);
        }

        stream.SetLength(0);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        stream.Flush();
        return stream;
    }

    /// <summary>The lock keeps others from locking, not from reading: the file says who holds it.</summary>
    private static string? Holder(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            var pid = reader.ReadToEnd();
            return pid.Length == 0 ? null : $"Process {pid} holds it.";
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string[] Names(string[] paths) => Array.ConvertAll(paths, path => Path.GetFileName(path)!);
}
