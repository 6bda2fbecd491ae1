namespace Millrace.EventLog.Disk;

/// <summary>
/// The disk as the log needs it. Nothing written, created, renamed or deleted is durable before the sync of its file or
/// folder: the log says when. Paths are the caller's. Failures are IOExceptions, a full disk is
/// <see cref="DiskFullException"/>.
/// </summary>
internal interface ILogDisk
{
    bool FolderExists(string path);

    bool FileExists(string path);

    /// <summary>Names of the folders directly in it.</summary>
    IReadOnlyList<string> Folders(string path);

    /// <summary>Names of the files directly in it.</summary>
    IReadOnlyList<string> Files(string path);

    void CreateFolder(string path);

    /// <summary>A new, empty file; one of that name must not exist.</summary>
    ILogFile Create(string path);

    ILogFile Open(string path);

    /// <summary>Deletes the file; one that is not there is no failure.</summary>
    void Delete(string path);

    /// <summary>Puts a file in the place of another, at once.</summary>
    void Rename(string from, string to);

    /// <summary>Makes durable which names the folder has.</summary>
    void SyncFolder(string path);

    /// <summary>Bytes that the log may still write below this path.</summary>
    long FreeBytes(string path);

    /// <summary>Takes the lock file for this process, or fails with LOG-0001.</summary>
    IDisposable Lock(string path);
}

/// <summary>An open file of the log.</summary>
internal interface ILogFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads as much as there is for the target; less than asked for only at the end.</summary>
    int Read(Span<byte> target, long position);

    void Write(ReadOnlySpan<byte> bytes, long position);

    void Truncate(long length);

    /// <summary>Makes content and length durable.</summary>
    void Sync();
}

/// <summary>The disk, or this user's part of it, has no room.</summary>
internal sealed class DiskFullException(string message, Exception? cause = null) : IOException(message, cause);
