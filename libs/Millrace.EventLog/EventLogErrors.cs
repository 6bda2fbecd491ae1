using Millrace.Primitives;

namespace Millrace.EventLog;

/// <summary>Errors of the event log; each has a page of its code under docs/errors.</summary>
public static class EventLogErrors
{
    public static readonly ErrorDefinition FolderLocked = new("LOG-0001",
        "The log's folder is in use.",
        "One process at a time may write a log, and another one holds its lock.",
        "Stop that process, or give this one a data folder of its own.");

    public static readonly ErrorDefinition Damaged = new("LOG-0002",
        "Stored bytes of the log are damaged.",
        "They do not match their checksum, or a file is missing: acknowledged records may have been lost.",
        "Check the disk, then restore the file from a copy; docs/errors/LOG-0002.md says what else can be done.");

    public static readonly ErrorDefinition PartitionCountChanged = new("LOG-0003",
        "The topic has another number of partitions.",
        "The number is fixed when the topic is made, because a device's records must stay in one partition.",
        "Set EventLog:Partitions back to the number that the topic has, or start with a new data folder.");

    public static readonly ErrorDefinition Trimmed = new("LOG-0004",
        "The position was trimmed away.",
        "Retention deleted these records before this consumer had read them.",
        "Start the consumer again at the first offset that is kept; give retention more time or room.");

    public static readonly ErrorDefinition DiskFull = new("LOG-0005",
        "The disk is full: the log takes no more records.",
        "The disk has less room than EventLog:FreeBytesMin asks for, or refused a write; what is not durable is not "
        + "acknowledged.",
        "Free disk space; the log goes on by itself as soon as there is room.");

    public static readonly ErrorDefinition NotFound = new("LOG-0006",
        "There is no such topic or partition.",
        "A topic is made before it is written or read, and its partitions count from 0.",
        "Check the name, and see that the role that makes the topic has started.");

    public static readonly ErrorDefinition TopicNameInvalid = new("LOG-0007",
        "The topic name is not valid.",
        "A topic is a folder on disk: its name has 1 to 200 of the characters a-z A-Z 0-9 . _ - and starts with a "
        + "letter or a digit.",
        "Choose a name of these characters.");

    public static readonly ErrorDefinition AppendTooLarge = new("LOG-0008",
        "The records of one append are too large together.",
        "An append is stored as a whole, and EventLog:AppendBytesMax limits it.",
        "Append fewer records at once, or raise EventLog:AppendBytesMax.");

    public static readonly ErrorDefinition DiskFailed = new("LOG-0009",
        "The disk failed to keep records.",
        "A write or sync returned an error; the records were not acknowledged.",
        "Check the disk and the system's log; the log goes on in a new file as soon as the disk answers.");

    public static readonly ErrorDefinition BeyondEnd = new("LOG-0010",
        "The position lies beyond the end of the log.",
        "A consumer remembers records that this log does not have; the log is older than the consumer's own state.",
        "Restore log and stores from the same moment, or reset the consumer's position.");

    public static readonly ErrorDefinition AppendsWait = new("LOG-0015",
        "Appends wait too long for the log.",
        "Partitions have no leader, or fewer brokers in sync than they need; nothing is lost or acknowledged.",
        "Bring the brokers back; the log goes on by itself. EventLog:AppendWaitMax says what is too long.");

    public static readonly ErrorDefinition AppendUncertain = new("LOG-0011",
        "It is not known which records of an append are in the log.",
        "The brokers gave no answer that settles it; none of the records was acknowledged.",
        "Send them again: what was written already is then there twice. See the log for what the brokers said.");
}
