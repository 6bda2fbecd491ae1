using Millrace.Delta;

namespace Millrace.Batch.Tables;

/// <summary>A table of the object store that statements may name.</summary>
/// <param name="Name">As statements write it.</param>
/// <param name="Root">Its key in the object store.</param>
public sealed record BatchTable(string Name, string Root)
{
    private const string JobPrefix = "job_";
    private const string JobRoot = "jobs";

    public static BatchTable Telemetry { get; } = new(TelemetryTable.Root, TelemetryTable.Root);

    /// <summary>The results of a job, whose name has lower-case letters, digits and hyphens.</summary>
    public static BatchTable OfJob(string job) =>
        new(JobPrefix + job.Replace('-', '_'), $"{JobRoot}/{job}");

    /// <summary>The table that a word of a statement may mean, or null when it cannot be one.</summary>
    internal static BatchTable? Named(string word)
    {
        var name = word.ToLowerInvariant();
        if (name == Telemetry.Name) return Telemetry;
        if (!name.StartsWith(JobPrefix, StringComparison.Ordinal) || name.Length == JobPrefix.Length) return null;
        var job = name[JobPrefix.Length..].Replace('_', '-');
        return job.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? OfJob(job) : null;
    }
}
