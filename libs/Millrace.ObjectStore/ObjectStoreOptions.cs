namespace Millrace.ObjectStore;

/// <summary>What keeps whole objects, such as the archive's files.</summary>
public enum ObjectStoreKind
{
    /// <summary>A folder of files.</summary>
    Files,

    /// <summary>A bucket of an S3 store, which processes on any number of machines share.</summary>
    S3,
}

/// <summary>The store of whole objects: section <c>ObjectStore</c>.</summary>
public sealed class ObjectStoreOptions
{
    /// <summary>Files, or S3; then see section ObjectStore:S3.</summary>
    public ObjectStoreKind Kind { get; set; }

    /// <summary>Where files lie. Null means the folder <c>archive</c> of the data folder.</summary>
    public string? Folder { get; set; }

    /// <summary>
    /// How old an unfinished file must be before it is taken for left over by a crash and removed at start. Longer than
    /// any write takes, because another process may be writing.
    /// </summary>
    public TimeSpan UnfinishedFileAge { get; set; } = TimeSpan.FromHours(1);
}
