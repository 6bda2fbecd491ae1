using Millrace.Delta.Log;
using Millrace.Delta.Pruning;

namespace Millrace.Batch.Tables;

/// <summary>What of a table a statement may need.</summary>
/// <param name="Ranges">All that it asks for lies within these.</param>
internal sealed record NeededFiles(
    OpenTable Table, IReadOnlyList<AddFile> Files, IReadOnlyList<ColumnRange> Ranges);
