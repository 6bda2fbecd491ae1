using Millrace.Delta.Pruning;

namespace Millrace.Delta.Log;

/// <summary>One line of a log entry (Delta protocol, "Actions").</summary>
public abstract record DeltaAction;

/// <param name="Id">Our own name for the commit, by which a writer whose answer was lost finds what it wrote
/// (<c>txnId</c>).</param>
public sealed record CommitInfo(string Id, long TimestampMs, string Operation, bool IsBlindAppend) : DeltaAction
{
    /// <summary>What the operation was about, and what it did (<c>operationParameters</c>).</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new Dictionary<string, string>();
}

public sealed record Protocol(int MinReaderVersion, int MinWriterVersion) : DeltaAction;

public sealed record Metadata(
    string Id, Schema.DeltaSchema Schema, IReadOnlyList<string> PartitionColumns, long CreatedTimeMs) : DeltaAction
{
    /// <summary>Properties of the table, which others may have set; kept as they are.</summary>
    public IReadOnlyDictionary<string, string> Configuration { get; init; } = new Dictionary<string, string>();
}

/// <param name="Path">Relative to the table's root, URL-encoded.</param>
/// <param name="PartitionValues">The value of each partition column as text; null values are empty.</param>
/// <param name="DataChange">False when the rows were in the table before, in other files.</param>
public sealed record AddFile(
    string Path, IReadOnlyDictionary<string, string> PartitionValues, long Bytes, long ModificationTimeMs,
    bool DataChange, FileStats? Stats) : DeltaAction;

public sealed record RemoveFile(string Path, long DeletionTimestampMs, bool DataChange) : DeltaAction;

/// <summary>How far an application has come; moves with the rows of the same entry.</summary>
public sealed record SetTransaction(string AppId, long Version, long LastUpdatedMs) : DeltaAction;

/// <summary>What a file holds, or a part of one, so that readers can pass it over.</summary>
public sealed record FileStats(long Records, IReadOnlyList<ColumnStats> Columns)
{
    public ColumnStats? Find(string column) => Columns.FirstOrDefault(stats => stats.Column == column);

    /// <summary>Whether rows within all of the ranges may be among them. In doubt they may.</summary>
    public bool MayHold(IReadOnlyList<ColumnRange> ranges) =>
        ranges.All(range => FilePruning.MayHold(this, range));
}

/// <param name="Min">Text, long or double; a time as ISO 8601 text, to the millisecond; null when not known.</param>
/// <param name="Max">As <paramref name="Min"/>; a time's rest below the millisecond is cut off.</param>
/// <param name="NullCount">Rows without a value; null when not known.</param>
public sealed record ColumnStats(string Column, object? Min, object? Max, long? NullCount);
