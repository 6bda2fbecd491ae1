using Millrace.Delta.Log;

namespace Millrace.Batch.DuckDb;

/// <summary>A file of a table, and where it is read: in one local file, or in one for each of its row groups.</summary>
internal sealed record FileSource(AddFile File, IReadOnlyList<string> Paths)
{
    /// <summary>Whether the table's log says which columns the file has.</summary>
    public bool HasColumns => File.Stats is { Columns.Count: > 0 };
}
