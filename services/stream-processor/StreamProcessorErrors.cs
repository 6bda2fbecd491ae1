using Millrace.Primitives;

namespace Millrace.StreamProcessor;

/// <summary>Errors of the stream processor.</summary>
public static class StreamProcessorErrors
{
    public static readonly ErrorDefinition NoDevice = new("SP-0001",
        "A telemetry record names no device.",
        "It has no key, and the key is the device id.",
        "Produce to the telemetry topic with the device id as the key.");

    public static readonly ErrorDefinition RowRefused = new("SP-0002",
        "The warm store refuses a row for good.",
        "The row breaks a limit of the store; the others were written.",
        "Look at the reason; raise the limit and replay the dead letter, or leave it.");

    public static readonly ErrorDefinition RecordUnreadable = new("SP-0003",
        "A record of a platform topic cannot be read.",
        "Its body does not have the form that the topic has.",
        "Find out who wrote it; the record is kept in full with its reason.");

    public static readonly ErrorDefinition QueryText = new("SP-0004",
        "A stored query does not compile.",
        "Its text was kept by a version that understood it, or it was changed in the store.",
        "Apply it again; the errors name line and column.");

    public static readonly ErrorDefinition InputUnknown = new("SP-0005",
        "A query reads an input that does not exist.",
        "The name after FROM is no topic of the hub, no configured input, and no output of another query.",
        "Correct the name, or apply the query that writes it first.");

    public static readonly ErrorDefinition RowFailed = new("SP-0006",
        "A query stopped at a row that failed.",
        "Its option for errors says stop.",
        "Mend the query or the data and apply it again, or choose to drop failing rows.");

    public static readonly ErrorDefinition OwnerStale = new("SP-0007",
        "A query's partition was taken over by another process.",
        "The epoch in the checkpoint store is newer than this owner's.",
        "Nothing: the new owner goes on; this one has stopped, and asks again only while the partition is its own.");

    public static readonly ErrorDefinition ReplayRefused = new("SP-0008",
        "This dead letter cannot be replayed.",
        "Its query does not run, has read the record itself, or drops it as late; or the stage keeps no such rows.",
        "Look at the reason. A query must run to take the record; a newer version that began after it takes it too.");

    public static readonly ErrorDefinition StateIncompatible = new("SP-0009",
        "A query cannot begin where it was told to.",
        "startFrom is not now, earliest, last, state, or a time in ISO 8601; or it is state, and the version before " +
            "keeps something else, was parted otherwise, or was not answered at every place of its two stages yet.",
        "Apply the query with another startFrom.");

    public static readonly ErrorDefinition ReferenceUnreadable = new("SP-0010",
        "Reference data cannot be read.",
        "Where it lives does not answer, or what is there cannot be taken.",
        "Look at the reason. Queries go on with what was read before; one that begins waits until it can be read.");

    public static readonly ErrorDefinition ReferenceMissing = new("SP-0011",
        "There is no such object with reference data.",
        "The object store has nothing under the key.",
        "Put the object there, or correct Queries:Extensions:References.");

    public static readonly ErrorDefinition ReferenceTooLarge = new("SP-0012",
        "Reference data is too large.",
        "Each place of a query keeps all of it in memory and in its checkpoints.",
        "Leave out what no query reads, or raise StreamProcessor:ReferenceBytesMax.");

    public static readonly ErrorDefinition TimeRefused = new("SP-0013",
        "A record's time is not believed.",
        "It is not within the years 1 to 9999, or lies further ahead of the clock than EventLog:TimeAheadMax.",
        "Mend the clock, or the unit, of whoever produces it: a record's time is in milliseconds since 1970.");

    public static readonly ErrorDefinition HeadersCut = new("SP-0014",
        "A record has too many headers.",
        "A record has up to 65,535 headers with names of up to 65,535 bytes; those that did not fit were cut.",
        "Have the producer send fewer headers.");

    public static readonly ErrorDefinition RecordFailsOften = new("SP-0015",
        "Many rows of a record failed.",
        "With a letter for each, all with the record, they would take more than StreamProcessor:RecordLettersBytesMax.",
        "Look at the reason of the first; mend the query or the data, and send again those elements that failed.");

    public static readonly ErrorDefinition RowTooLarge = new("SP-0016",
        "A row is too large for the log.",
        "EventLog:AppendBytesMax limits it, and EventLog:Kafka:Producer:RecordBytesMax with Kafka.",
        "Have the query select less, or raise the limit.");

    public static readonly ErrorDefinition RowsTooLarge = new("SP-0017",
        "A query makes too many rows at once.",
        "Those of one read wait in memory until all are made; StreamProcessor:ReadRowsBytesMax limits what they have.",
        "Have the query make fewer or smaller rows of a record or of a window's end, or raise the limit.");
}
