using Millrace.Delta.Log;

namespace Millrace.Delta;

/// <summary>What is to become part of a table in one step, all of it or nothing.</summary>
public sealed record DeltaCommit
{
    /// <summary>A name that no other commit has.</summary>
    public required string Id { get; init; }

    /// <summary>What the commit is, in the protocol's words: WRITE, OPTIMIZE, ...</summary>
    public required string Operation { get; init; }

    /// <summary>What the table's history says of it beside its operation.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<AddFile> Adds { get; init; } = [];

    public IReadOnlyList<RemoveFile> Removes { get; init; } = [];

    /// <summary>Positions that move with the rows. One that is found elsewhere makes the commit void.</summary>
    public IReadOnlyList<PositionMove> Moves { get; init; } = [];

    /// <summary>Positions that the rows rest on and that stay. One that has moved makes the commit void.</summary>
    public IReadOnlyList<PositionSeen> Rests { get; init; } = [];

    /// <summary>
    /// When the first of the added files was written; vacuum may delete files that no table knows by age.
    /// </summary>
    public required DateTimeOffset FilesWrittenAt { get; init; }
}

/// <param name="From">Where it must stand; null means that there is none.</param>
public sealed record PositionMove(string AppId, long? From, long To);

/// <param name="At">Where it was seen; null when there was none.</param>
public sealed record PositionSeen(string AppId, long? At);

public enum DeltaCommitOutcome
{
    /// <summary>It is part of the table.</summary>
    Committed,

    /// <summary>A position stands elsewhere, or a file to remove is gone: start again from the table.</summary>
    Superseded,

    /// <summary>Its files are so old that vacuum may be about to delete them: write them again.</summary>
    Expired,
}

/// <param name="Version">The entry that holds the commit; -1 when it is not committed.</param>
/// <param name="Conflicts">How many numbers were taken by others on the way.</param>
public readonly record struct DeltaCommitResult(DeltaCommitOutcome Outcome, long Version, int Conflicts);
