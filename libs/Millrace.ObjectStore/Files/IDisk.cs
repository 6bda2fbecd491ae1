namespace Millrace.ObjectStore.Files;

/// <summary>
/// The file operations that durability rests on, and no others; a test puts a disk behind it that forgets what was not
/// synced. Failures are IOException or UnauthorizedAccessException.
/// </summary>
internal interface IDisk
{
    /// <summary>A new file, open for writing; neither its content nor its name is durable yet.</summary>
    FileStream Create(string path);

    /// <summary>Makes the content that was written so far durable.</summary>
    void Sync(FileStream file);

    /// <summary>Makes a folder; no error when it is there.</summary>
    void CreateFolder(string path);

    /// <summary>Makes the names within the folder durable.</summary>
    void SyncFolder(string path);

    /// <summary>Gives the file this name instead, replacing a file that had it, in one step.</summary>
    void Replace(string from, string to);

    /// <summary>Gives the file this name as well, in one step; false when the name was taken.</summary>
    bool TryLink(string from, string to);

    /// <summary>Removes the file; no error when there is none.</summary>
    void Delete(string path);
}
