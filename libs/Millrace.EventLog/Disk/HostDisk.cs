using System.Globalization;

namespace Millrace.EventLog.Disk;

/// <summary>The disk of this machine.</summary>
internal sealed class HostDisk : ILogDisk
{
    private const int LinuxWouldBlock = 11, MacWouldBlock = 35, WindowsSharingViolation = unchecked((int)0x80070020);

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
        FileStream held;
        try
        {
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            throw EventLogErrors.FolderLocked.With(Path.GetDirectoryName(path), Holder(path)).AsException(e);
        }

        File.WriteAllText(PidPath(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return held;
    }

    /// <summary>Who holds the lock stands in a file beside it, because a locked file cannot be read.</summary>
    private static string? Holder(string path) =>
        File.Exists(PidPath(path)) ? $"Process {File.ReadAllText(PidPath(path))} holds it." : null;

    private static string PidPath(string path) => path + ".pid";

    private static string[] Names(string[] paths) => Array.ConvertAll(paths, path => Path.GetFileName(path)!);
}
