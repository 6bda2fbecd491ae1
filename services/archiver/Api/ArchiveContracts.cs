namespace Millrace.Archiver.Api;

/// <summary>The archive at a glance: telemetry's table, and those of query outputs.</summary>
internal sealed record ArchiveInfo(
    long Version, int Files, long Rows, long Bytes, DateTimeOffset? RetainedFrom,
    IReadOnlyList<ArchivePartition> Partitions, IReadOnlyList<ArchiveOutput> Outputs);

/// <param name="Name">As statements name the table.</param>
/// <param name="Partitions">Of the output's topic.</param>
internal sealed record ArchiveOutput(
    string Name, long Version, int Files, long Rows, long Bytes, DateTimeOffset? RetainedFrom,
    IReadOnlyList<ArchivePartition> Partitions);

/// <param name="LogFirst">The first offset that the log has.</param>
/// <param name="LogNext">The next offset of the log.</param>
/// <param name="Archived">The next offset that the table takes.</param>
internal sealed record ArchivePartition(int Partition, long LogFirst, long LogNext, long Archived);

internal sealed record ArchiveHistory(IReadOnlyList<ArchiveVersion> Items);

internal sealed record ArchiveVersion(
    long Version, DateTimeOffset At, string Operation, int FilesAdded, int FilesRemoved, long RowsAdded,
    IReadOnlyDictionary<string, string> Details);

/// <param name="All">Also hours that would be left until they are quiet.</param>
internal sealed record CompactRequest(bool All = false);

/// <param name="DryRun">Only tell what would be deleted.</param>
internal sealed record VacuumRequest(bool DryRun = false);

/// <param name="Files">Files that were deleted, or would be.</param>
/// <param name="Waiting">Removed files that are younger than the safe age.</param>
internal sealed record VacuumAnswer(int Files, long Bytes, int Waiting);

/// <param name="Operation">A name of the caller's own: the erasure goes on when the wait is over, and who asks again
/// under that name waits again. Null: it is waited for to its end.</param>
/// <param name="Wait">Seconds.</param>
internal sealed record EraseRequest(string DeviceId, string? Operation = null, int Wait = 0);

/// <summary>An operation that goes on; ask again.</summary>
internal sealed record GoesOn(string Operation, string State = "running");

/// <param name="Table">As statements name it; null: telemetry.</param>
internal sealed record VerifyRequest(int Partition, long From = 0, string? Table = null);
