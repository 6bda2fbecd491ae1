namespace Millrace.Batch;

/// <summary>Which versions of its tables a statement reads, where not the newest.</summary>
/// <param name="At">Each table as it was at this time.</param>
/// <param name="Version">The version of that number; the statement then reads one table.</param>
public sealed record BatchAsOf(DateTimeOffset? At = null, long? Version = null);
