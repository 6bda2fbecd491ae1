namespace Millrace.Delta.Pruning;

/// <summary>Values of a column that a reader asks for; both ends belong to it, and null is open.</summary>
/// <param name="From">Text, long, double, DateTimeOffset or DateOnly.</param>
/// <param name="To">As <paramref name="From"/>.</param>
public sealed record ColumnRange(string Column, object? From, object? To)
{
    /// <summary>One value.</summary>
    public static ColumnRange Of(string column, object value) => new(column, value, value);
}
