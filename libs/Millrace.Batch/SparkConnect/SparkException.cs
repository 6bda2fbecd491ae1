using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>Spark's own failure, beside ours.</summary>
/// <param name="Class">Its stable name, such as <c>TABLE_OR_VIEW_NOT_FOUND</c>; null when it said none.</param>
/// <param name="SqlState">By the SQL standard, such as <c>42P01</c>.</param>
/// <param name="Parameters">What the message speaks of, by name.</param>
public sealed record SparkError(
    string? Class, string? SqlState, string Message, IReadOnlyDictionary<string, string> Parameters);

/// <summary>A request to Spark that failed; <see cref="MillraceException.Error"/> says how, by a stable code.</summary>
public sealed class SparkException(Error error, SparkError spark, Exception? cause = null)
    : MillraceException(error, cause)
{
    public SparkError Spark { get; } = spark;
}
