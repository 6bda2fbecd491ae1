using Millrace.Primitives;

namespace Millrace.Stores;

/// <summary>Errors of the stores.</summary>
public static class StoreErrors
{
    public static readonly ErrorDefinition Unavailable = new("ST-0001",
        "The store could not carry out the request.",
        "The database answered with an error.",
        "Look at the detail; check that the disk has room and the data folder can be written, or that the nodes run.");

    public static readonly ErrorDefinition ContinuationInvalid = new("ST-0002",
        "The continuation token is not valid.",
        "A token is only good for the list that gave it.",
        "Start again without a token.");

    public static readonly ErrorDefinition DeviceKeyFileInvalid = new("ST-0003",
        "The file with the key for device keys cannot be used.",
        "It must hold exactly 32 bytes, and is made anew only while there are no devices.",
        "Put the original file back; without it, stored device keys cannot be read.");

    public static readonly ErrorDefinition DeviceKeyUnreadable = new("ST-0004",
        "A stored device key cannot be decrypted.",
        "It was changed, or was encrypted under another key file.",
        "Put the original key file back, or delete the device and create it again.");

    public static readonly ErrorDefinition SchemaNewer = new("ST-0005",
        "The database was written by a newer version.",
        "Its schema has a number that this version does not know, and the upgrade to it was finalised.",
        "Start the newer version, or restore a backup that is older than the upgrade.");

    public static readonly ErrorDefinition RowRefused = new("ST-0006",
        "The store refuses a row for good.",
        "The row is larger than the store's limit.",
        "Send smaller messages, or raise Stores:RowBytesMax.");

    public static readonly ErrorDefinition DiskFull = new("ST-0007",
        "The store has no room to write.",
        "The disk that holds the data folder is full.",
        "Make room on the disk; the store goes on by itself.");

    public static readonly ErrorDefinition Locked = new("ST-0008",
        "The database is locked.",
        "Another process held it for longer than Stores:LockTimeoutSeconds.",
        "Close the other program; only one platform may use a data folder.");

    public static readonly ErrorDefinition Corrupted = new("ST-0009",
        "The database file is damaged.",
        "Its content is not what SQLite wrote there.",
        "Stop the platform and restore the file from a backup; warm.db may be removed: the log fills it again.");

    public static readonly ErrorDefinition AccessRefused = new("ST-0010",
        "Cassandra does not let this process in.",
        "The login was refused, the role lacks a permission, or a certificate is not good.",
        "Check Cassandra:Security; the process tries again, and goes on by itself.");

    public static readonly ErrorDefinition FinalisedByOlder = new("ST-0011",
        "An older version cannot finalise the upgrade.",
        "The stores have had steps of a newer version, which this one does not know.",
        "Ask a process of the newer version, once all processes are of it.");

    public static readonly ErrorDefinition RowDamaged = new("ST-0012",
        "A stored row is damaged.",
        "It holds what its column or the store cannot have written; it is not passed over, for it may be anything.",
        "Restore the row that is named from a backup, or delete it; run a repair of its table.");

    /// <summary>Whether the same request may succeed later, with nothing changed but the store's own state.</summary>
    public static bool Passes(Error error) =>
        error.Definition == Unavailable || error.Definition == DiskFull || error.Definition == Locked;
}
