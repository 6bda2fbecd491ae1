namespace Millrace.Batch.Frames;

/// <summary>The rows that a function over a window sees: those of the same keys, in an order, up to bounds.</summary>
public sealed record Window
{
    private Window(IReadOnlyList<Column> keys) => Keys = keys;

    internal IReadOnlyList<Column> Keys { get; }

    internal IReadOnlyList<SortKey> Order { get; private init; } = [];

    /// <summary>Rows before (negative) and after this one; null is all.</summary>
    internal (int? From, int? To)? Bounds { get; private init; }

    public static Window Of(params IReadOnlyList<Column> keys) => new(keys);

    public Window OrderBy(params IReadOnlyList<SortKey> order) => this with { Order = order };

    /// <param name="from">Rows from this one: -1 is the one before, null the first.</param>
    /// <param name="to">As <paramref name="from"/>; null the last.</param>
    public Window Rows(int? from, int? to) => this with { Bounds = (from, to) };
}
