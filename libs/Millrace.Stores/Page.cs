namespace Millrace.Stores;

/// <summary>Part of a list. <paramref name="Continuation"/> asks for the rest; null at the end.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Continuation);

/// <summary>How far a sink has come in a partition. In adapters that can, it moves with the rows.</summary>
/// <param name="Metadata">A little text of the reader's own, such as the epochs that it has seen.</param>
public sealed record SinkPosition(long NextOffset, string? Metadata = null);
