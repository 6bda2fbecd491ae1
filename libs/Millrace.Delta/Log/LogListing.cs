namespace Millrace.Delta.Log;

/// <summary>What lies in a table's log from some version on.</summary>
/// <param name="Entries">In the order of their numbers.</param>
/// <param name="Checkpoints">Those that are complete, in the order of their versions.</param>
internal sealed record LogListing(
    IReadOnlyList<(long Version, DateTimeOffset WrittenAt)> Entries, IReadOnlyList<LogCheckpoint> Checkpoints)
{
    /// <summary>The newest version that there is; -1 when there is no table.</summary>
    public long Newest => Math.Max(
        Entries.Count == 0 ? -1 : Entries[^1].Version, Checkpoints.Count == 0 ? -1 : Checkpoints[^1].Version);

    /// <summary>The newest version that was written before the time; -1 when there is none.</summary>
    public long LastBefore(DateTimeOffset time) =>
        Entries.LastOrDefault(entry => entry.WrittenAt < time, (-1, default)).Version;

    /// <summary>The newest checkpoint that is not after the version.</summary>
    public LogCheckpoint? CheckpointAt(long version) => Checkpoints.LastOrDefault(c => c.Version <= version);
}

/// <summary>The table's state as of a version, in one object or in parts.</summary>
internal sealed record LogCheckpoint(long Version, IReadOnlyList<string> Keys);
