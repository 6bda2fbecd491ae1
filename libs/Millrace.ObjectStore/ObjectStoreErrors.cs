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
        "The storage below refused the write or did not answer; no object is there in part.",
        "See that it has room, answers, and may be written, then try again.");

    public static readonly ErrorDefinition FolderUnusable = new("OB-0003",
        "The object store's folder cannot be used.",
        "It could not be created, or this user may not write in it.",
        "Set ObjectStore:Folder to a folder that this user may write, or repair its permissions.");

    public static readonly ErrorDefinition ConditionsMissing = new("OB-0004",
        "The S3 store does not keep to If-None-Match.",
        "Commits of the archive rest on puts that fail when the key is taken; without them rows would be lost.",
        "Use a store that has conditional writes, for PutObject and for CompleteMultipartUpload.");

    public static readonly ErrorDefinition BucketUnusable = new("OB-0005",
        "The bucket cannot be used.",
        "It is not there, or the credentials do not allow to list, read, write and delete in it.",
        "Make the bucket or set ObjectStore:S3:CreateBucket, and see the rights of the credentials.");

    public static readonly ErrorDefinition ReadFailed = new("OB-0006",
        "The object could not be read.",
        "The storage below refused or did not answer.",
        "See that it answers and may be read, then try again.");

    public static readonly ErrorDefinition CredentialsMissing = new("OB-0007",
        "There are no credentials for the S3 store.",
        "Requests to it are signed, and nothing to sign with was found where the options say.",
        "Set ObjectStore:S3:Credentials, or what its Source reads.");
}
