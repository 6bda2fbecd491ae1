using Millrace.Primitives;

namespace Millrace.Archiver;

/// <summary>Errors of the archiver; those of records are the reasons of dead letters.</summary>
public static class ArchiverErrors
{
    public static readonly ErrorDefinition NoDevice = new("AR-0001",
        "The record has no key, and so no device.",
        "Every row of the archive belongs to a device, and the record's key is its id.",
        "See who writes to the telemetry topic past the gateway.");

    public static readonly ErrorDefinition DeviceUnreadable = new("AR-0002",
        "The record's key is no device id.",
        "It is not UTF-8, or longer than 128 bytes.",
        "See who writes to the telemetry topic past the gateway.");

    public static readonly ErrorDefinition TooLarge = new("AR-0003",
        "The record is too large for the archive.",
        "Its size is over Archiver:RecordSizeMax.",
        "Raise the option and replay the dead letter.");

    public static readonly ErrorDefinition HeaderUnreadable = new("AR-0004",
        "A header of the record is not UTF-8.",
        "Headers and application properties become text columns. It may also have more of them than can be kept.",
        "See who writes to the telemetry topic past the gateway.");

    public static readonly ErrorDefinition TimeUnreadable = new("AR-0005",
        "The record's enqueued time is out of range.",
        "It is not within the years 1 to 9999, or lies further ahead of the clock than EventLog:TimeAheadMax.",
        "Mend the clock, or the unit, of whoever produced it: a record's time is in milliseconds since 1970.");

    public static readonly ErrorDefinition RecordsLost = new("AR-0006",
        "The log was trimmed past the archive's position.",
        "Records between the two are in neither, so going on would hide a loss.",
        "Restore the log's segments, or move the archive away so that a new one begins at the log's first record.");

    public static readonly ErrorDefinition LogShorter = new("AR-0007",
        "The archive is ahead of the log.",
        "The table's position lies beyond the log's end, so they are not of one hub or the log was restored.",
        "Restore the log that belongs to the archive, or move the archive away so that a new one begins.");

    public static readonly ErrorDefinition FileMissing = new("AR-0008",
        "A file of the archive's table is not in the object store.",
        "Something else than the platform deleted it, so its rows are not there to be read.",
        "Restore the object from a backup, or from the store's older versions.");

    public static readonly ErrorDefinition RequestInvalid = new("AR-0009",
        "The request to the archive cannot be done as it is.",
        "A value of it is missing or out of range.",
        "Correct the value that is named.");

    public static readonly ErrorDefinition DeviceErased = new("AR-0011",
        "The record is one of a device that was erased from the archive.",
        "It is older than the erasure, and a row of it would bring back what was erased.",
        "Nothing. Of the record only where it stood in the log is kept.");

    public static readonly ErrorDefinition ErasureUnproven = new("AR-0012",
        "It is not proven that the device is erased.",
        "Only an erasure that is recorded and done, and behind which nothing of the device is found, proves that.",
        "Erase the device again, when no run goes on that began before, and look again.");

    public static readonly ErrorDefinition RowUnreadable = new("AR-0010",
        "The record of a query's output is no JSON.",
        "Rows of outputs are archived as JSON text, and queries write nothing else.",
        "See who writes to the output's topic beside the query.");
}
