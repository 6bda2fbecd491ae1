using Millrace.Primitives;

namespace Millrace;

/// <summary>Errors of the command.</summary>
public static class HostErrors
{
    public static readonly ErrorDefinition PlatformNotFound = new("CL-0001",
        "No platform was found to talk to.",
        "No --server was given, and the data folder does not say where one listens.",
        "Start one with millrace dev, or name one with --server and --token.");

    public static readonly ErrorDefinition PlatformUnreachable = new("CL-0002",
        "The platform does not answer.",
        "Nothing listens at the address, or the connection broke.",
        "Check that it runs and that --server has the right address.");

    public static readonly ErrorDefinition FileUnreadable = new("CL-0003",
        "A file cannot be read.",
        "It is not there, or may not be opened.",
        "Check the path.");

    public static readonly ErrorDefinition InputMissing = new("CL-0004",
        "An input of the query has no file.",
        "Each name after FROM needs an --input NAME=FILE, reference data after JOIN a --reference NAME=FILE.",
        "Add the missing --input or --reference.");

    public static readonly ErrorDefinition LineFailed = new("CL-0005",
        "A line of the input failed.",
        "With --on-error stop, the first line or row that fails ends the run.",
        "Mend the line, or give --on-error drop to put failing lines into dead-letter.jsonl.");

    public static readonly ErrorDefinition OptionInvalid = new("CL-0006",
        "An option has a value that does not fit.",
        "The value has another form than the option takes.",
        "See the command's --help.");

    public static readonly ErrorDefinition RoleUnknown = new("CL-0007",
        "A role is not known.",
        "Roles are gateway, registry, stream-processor, archiver, cold-path and api.",
        "Correct the name after --roles.");

    public static readonly ErrorDefinition QueryInvalid = new("CL-0008",
        "The query does not compile.",
        "The text has the errors that are listed.",
        "Mend the places that the list names by line and column.");

    public static readonly ErrorDefinition PathUnusable = new("CL-0009",
        "A file or folder cannot be used.",
        "The system refused to make, read or write it.",
        "Check the path, its owner and the room on the disk.");

    public static readonly ErrorDefinition TokenMissing = new("CL-0010",
        "There is no token to show to the platform.",
        "No --token was given, and the data folder holds none.",
        "Give one with --token or MILLRACE_TOKEN, or name the platform's data folder with --data.");

    public static readonly ErrorDefinition ReplayRefused = new("CL-0011",
        "The dead letter was not taken.",
        "The stage tried it again and refused it, so that it is open as before.",
        "Look at the reason with millrace deadletter list, and into the platform's log; mend the cause and try again.");

    public static readonly ErrorDefinition ArchiveDiffers = new("CL-0012",
        "The archive differs from the log.",
        "Each record up to a table's position must be in it once, less what was retired, erased or dead-lettered.",
        "Look at what the table of this command says, and at docs/errors/CL-0012.md.");

    public static readonly ErrorDefinition FleetRefused = new("CL-0013",
        "No message of the simulated fleet was taken.",
        "Its connections or messages were all refused; the last reason is given.",
        "Check --mqtt and --cafile, and that the gateway runs.");
}
