namespace Millrace.Contracts;

/// <summary>How statements of the cold path name the tables of the archive. Case is no matter.</summary>
public static class ArchiveNames
{
    public const string Telemetry = "telemetry";

    /// <summary>The results of the job x-y are the table job_x_y.</summary>
    public const string JobPrefix = "job_";

    /// <summary>Whether an output of this name could not be told from another table.</summary>
    public static bool IsReserved(string output) =>
        output.Equals(Telemetry, StringComparison.OrdinalIgnoreCase)
        || output.StartsWith(JobPrefix, StringComparison.OrdinalIgnoreCase);
}
