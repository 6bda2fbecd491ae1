using Millrace.Primitives;

namespace Millrace.ObjectStore;

/// <summary>Errors of object stores.</summary>
public static class ObjectStoreErrors
{
    public static readonly ErrorDefinition KeyInvalid = new("OB-0001",
        "The object key is not valid.",
        "Keys have segments of ASCII letters, digits and - _ . = %, with / between; none empty or starting with a dot.",
        "Choose a key of these characters.");

    public static readonly ErrorDefinition WriteFailed = new("OB-0002",
        "The object could not be written.",
        "The storage below refused the write; what was there before is unchanged.",
        "See that the disk has room and that the folder may be written, then try again.");

    public static readonly ErrorDefinition FolderUnusable = new("OB-0003",
        "The object store's folder cannot be used.",
        "It could not be created, or this user may not write in it.",
        "Set ObjectStore:Folder to a folder that this user may write, or repair its permissions.");
}
