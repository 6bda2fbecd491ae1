namespace Millrace.Delta;

/// <summary>The tables of jobs' results, as who writes them and who erases from them both know them.</summary>
public static class JobTable
{
    /// <summary>Below it each job has a folder.</summary>
    public const string RootPrefix = "jobs/";

    public static string RootOf(string job) => RootPrefix + job;

    /// <summary>The job whose results the table has.</summary>
    public static string JobOf(string root) => root[RootPrefix.Length..];
}
