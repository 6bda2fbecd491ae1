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
        "A job has job.json with a description and its parameters, and job.sql with one SELECT or names a class.",
        "Correct the file that the message names, or move the folder away.");

    public static readonly ErrorDefinition JobBusy = new("CP-0008",
        "The job is run by somebody else at this moment.",
        "One runner at a time makes a job's results, whatever the number of processes.",
        "Try again when it has ended; `millrace cold history` shows it.");

    public static readonly ErrorDefinition JobHasNoParts = new("CP-0009",
        "The job's results cannot be kept by parts.",
        "Its job.json does not say by which part of the time: day or hour.",
        "Set part in job.json, with parameters from and to in the statement, or run it for its rows.");

    public static readonly ErrorDefinition RangeInvalid = new("CP-0010",
        "The range of parts cannot be made.",
        "It is empty, or has more parts than ColdPath:PartsMax.",
        "Give from and to as times, the one before the other, and not too far apart.");

    public static readonly ErrorDefinition ResultInvalid = new("CP-0011",
        "A column of the job's rows cannot be kept.",
        "A table has columns of text, whole and floating-point numbers, booleans, dates, times and bytes.",
        "Cast the column in the statement, or give it another name.");

    public static readonly ErrorDefinition RunTooLong = new("CP-0012",
        "The run took so long that its files may be cleaned up.",
        "Files that no table names are deleted by age, and these are half as old.",
        "Run a smaller part, or raise Delta:VacuumSafeAge.");

    public static readonly ErrorDefinition RunFailed = new("CP-0013",
        "The run failed in all its attempts.",
        "The last attempt's error stands beside this one.",
        "See `millrace cold history` for all attempts; run the part again when the reason is gone.");

    public static readonly ErrorDefinition RunUnknown = new("CP-0015",
        "The part was never run.",
        "Its runs are forgotten after ColdPath:RunRetention, or there were none.",
        "Run the part; `millrace cold history` shows the runs that are known.");

    public static readonly ErrorDefinition ResultUnknown = new("CP-0014",
        "There is no such result.",
        "Results of runs are objects below results/, and this key is none of them.",
        "Take a key that a run with output parquet gave.");

    public static readonly ErrorDefinition LeaseLost = new("CP-0016",
        "The runner lost the job before it had ended.",
        "It was paused, or could not reach the stores, for longer than ColdPath:LeaseDuration, or was killed.",
        "Run the part again; raise ColdPath:LeaseDuration when the stores are away for longer now and then.");

    public static readonly ErrorDefinition ClassFailed = new("CP-0018",
        "The job's class failed.",
        "It makes the steps of the values of its parameters, and threw an exception.",
        "Correct the class, or the values that it was given.");

    public static readonly ErrorDefinition PartGone = new("CP-0017",
        "What the part was made of is in the archive no more.",
        "Retention took telemetry of its time, so a run would replace the part's results by nothing, or by less.",
        "Begin after that time; or say force (--force), when the results are to be those of what is left.");
}
