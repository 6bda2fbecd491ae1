using Millrace.Delta.Log;

namespace Millrace.Batch.Tables;

/// <summary>What of a table a statement may need.</summary>
internal sealed record NeededFiles(OpenTable Table, IReadOnlyList<AddFile> Files);
