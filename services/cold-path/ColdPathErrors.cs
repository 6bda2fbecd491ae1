using Millrace.Primitives;

namespace Millrace.ColdPath;

/// <summary>Errors of jobs and their requests.</summary>
public static class ColdPathErrors
{
    public static readonly ErrorDefinition JobUnknown = new("CP-0001",
        "There is no such job.",
        "Jobs are folders that are read when the platform starts.",
        "See the names with `millrace cold jobs`; add a folder below ColdPath:JobsFolder and start again.");

    public static readonly ErrorDefinition ParameterInvalid = new("CP-0002",
        "A parameter's value is not of its type.",
        "The job says which type each parameter has.",
        "Give a value of that type; times are ISO 8601, now, or now-7d.");

    public static readonly ErrorDefinition ParameterMissing = new("CP-0003",
        "A parameter is missing.",
        "The job needs it and has no default for it.",
        "Give the parameter.");

    public static readonly ErrorDefinition ParameterUnknown = new("CP-0004",
        "The job has no such parameter.",
        "A value that nobody reads is most likely a slip.",
        "See the job's parameters with `millrace cold jobs`.");

    public static readonly ErrorDefinition ColumnUnknown = new("CP-0005",
        "There is no such column to compute with.",
        "The parameter names columns of telemetry; without it, all promoted columns that are numbers are taken.",
        "Name columns that are there, or promote fields of the bodies with Archiver:PromotedColumns.");

    public static readonly ErrorDefinition RequestInvalid = new("CP-0006",
        "The request cannot be understood.",
        "Its body, format or output is not one that this address takes.",
        "See docs/cold-path.md for the addresses and what they take.");

    public static readonly ErrorDefinition JobFolderInvalid = new("CP-0007",
        "A job's folder cannot be read as a job.",
        "A job has job.sql with one SELECT and job.json with a description and its parameters.",
        "Correct the file that the message names, or move the folder away.");
}
