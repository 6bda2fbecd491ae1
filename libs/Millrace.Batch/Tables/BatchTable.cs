using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Batch.Tables;

/// <summary>A table of the object store that statements may name.</summary>
/// <param name="Name">As statements write it.</param>
/// <param name="Root">Its key in the object store.</param>
public sealed record BatchTable(string Name, string Root)
{
    public static BatchTable Telemetry { get; } = new(TelemetryTable.Root, TelemetryTable.Root);

    /// <summary>The results of a job, whose name has lower-case letters, digits and hyphens.</summary>
    public static BatchTable OfJob(string job) =>
        new(ArchiveNames.JobPrefix + job.Replace('-', '_'), JobTable.RootOf(job));

    /// <summary>The archived rows of a query's output.</summary>
    public static BatchTable OfOutput(string output) =>
        new(output.ToLowerInvariant(), OutputTable.RootOf(output));

    /// <summary>The table that a name of a statement may mean, or null when it cannot be one.</summary>
    internal static BatchTable? Named(string written)
    {
        var name = written.ToLowerInvariant();
        if (name == Telemetry.Name) return Telemetry;
        if (OutputTable.IsName(name)) return OfOutput(name);
        if (!name.StartsWith(ArchiveNames.JobPrefix, StringComparison.Ordinal)) return null;
        var job = name[ArchiveNames.JobPrefix.Length..].Replace('_', '-');
        return job.Length > 0 && job.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? OfJob(job)
            : null;
    }
}
