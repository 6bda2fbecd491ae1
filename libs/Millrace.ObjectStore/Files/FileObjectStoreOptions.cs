namespace Millrace.ObjectStore.Files;

/// <summary>The store of whole objects as files: section <c>ObjectStore</c>.</summary>
public sealed class FileObjectStoreOptions
{
    /// <summary>Where the objects lie. Null means the folder <c>archive</c> of the data folder.</summary>
    public string? Folder { get; set; }

    /// <summary>
    /// How old an unfinished file must be before it is taken for left over by a crash and removed at start. Longer than
    /// any write takes, because another process may be writing.
    /// </summary>
    public TimeSpan UnfinishedFileAge { get; set; } = TimeSpan.FromHours(1);
}
