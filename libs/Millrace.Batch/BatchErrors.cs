using Millrace.Primitives;

namespace Millrace.Batch;

/// <summary>Errors of batch engines.</summary>
public static class BatchErrors
{
    public static readonly ErrorDefinition Refused = new("BA-0001",
        "The engine refused the statement.",
        "Its text, its parameters or the data do not allow it.",
        "Correct the statement where the engine's message points; docs/sql-batch.md says what both engines take.");

    public static readonly ErrorDefinition TimedOut = new("BA-0002",
        "The statement took too long and was ended.",
        "It ran longer than Batch:QueryTimeout, with the time that it waited for others.",
        "Narrow it by enqueued_at, date or device_id, or raise the option.");

    public static readonly ErrorDefinition NotOneSelect = new("BA-0003",
        "The text is not one SELECT statement.",
        "SQL over the archive only reads: one SELECT (or WITH, VALUES, DESCRIBE, SUMMARIZE) and nothing else.",
        "Send one SELECT; to keep its result, ask for output parquet.");

    public static readonly ErrorDefinition ParameterInvalid = new("BA-0004",
        "A parameter has a type that statements do not take.",
        "Parameters are text, whole numbers, floating-point numbers, booleans, times or null.",
        "Give the value as one of these.");

    public static readonly ErrorDefinition Unreachable = new("BA-0005",
        "Spark does not answer.",
        "No connection to the server of Spark:Remote came about, or it broke and could not be taken up again.",
        "See that Spark Connect runs at that address; the statement may be sent again.");

    public static readonly ErrorDefinition Failed = new("BA-0006",
        "Spark failed while it ran the statement.",
        "The failure is the server's and not the statement's; its own message says more.",
        "See the server's log; send the statement again, or give the server more memory.");

    public static readonly ErrorDefinition Interrupted = new("BA-0007",
        "The statement was interrupted on the server.",
        "Somebody ended it there.",
        "Send it again when it is still wanted.");

    public static readonly ErrorDefinition CredentialRefused = new("BA-0008",
        "Spark refused this process's credential.",
        "The token of Spark:Remote or Spark:TokenFile is missing, wrong or not allowed to do this.",
        "Give the token that the server takes.");

    public static readonly ErrorDefinition SessionLost = new("BA-0009",
        "Spark knows the session or the running statement no more.",
        "The server was started again, or let go of what was idle for long.",
        "Send the statement again: it gets a new session.");

    public static readonly ErrorDefinition TooManyFiles = new("BA-0010",
        "The statement would read too many files of the archive.",
        "Spark reads the files that the table's log names, one by one, and Spark:FilesMax limits them.",
        "Narrow it by enqueued_at, date, hour or device_id, let files be merged, or raise the option.");

    public static readonly ErrorDefinition NoAddress = new("BA-0011",
        "It is not known how Spark finds the archive.",
        "The object store has no local files, and Spark:ArchiveRoot is not set.",
        "Set Spark:ArchiveRoot to the address under which Spark sees the store, such as s3a://bucket/prefix.");

    public static readonly ErrorDefinition VersionOfOneTable = new("BA-0012",
        "A version was asked for, and the statement does not read one table.",
        "Each table has versions of its own, so a number means one only where one table is read.",
        "Ask for a time instead, which means each table as it was then, or read one table.");
}
