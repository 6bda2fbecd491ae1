using System.Collections.Immutable;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.Delta.Schema;

namespace Millrace.Delta;

/// <summary>What a table holds at one version. Never changes.</summary>
public sealed record DeltaSnapshot
{
    internal DeltaSnapshot()
    {
    }

    /// <summary>The number of the newest log entry that is in it.</summary>
    public required long Version { get; init; }

    /// <summary>When the log was last read to this version and found to end there.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    public required Metadata Metadata { get; init; }

    /// <summary>The files that make up the table, by path.</summary>
    public required ImmutableDictionary<string, AddFile> Files { get; init; }

    /// <summary>How far each application has come, by its id.</summary>
    public required ImmutableDictionary<string, SetTransaction> Transactions { get; init; }

    /// <summary>
    /// Files that were part of the table, by path, as far as the log tells. Who reads an older version may need them.
    /// </summary>
    public required ImmutableDictionary<string, RemoveFile> Removed { get; init; }

    public DeltaSchema Schema => Metadata.Schema;

    /// <summary>The application's position, or null when it has none.</summary>
    public long? PositionOf(string appId) => Transactions.TryGetValue(appId, out var at) ? at.Version : null;

    /// <summary>The files that may hold rows within all of the ranges, in the order of their paths.</summary>
    public IReadOnlyList<AddFile> FilesWithin(IReadOnlyList<ColumnRange> ranges) =>
    [
        .. Files.Values.Where(file => FilePruning.MayHold(file, ranges))
            .OrderBy(file => file.Path, StringComparer.Ordinal),
    ];
}
