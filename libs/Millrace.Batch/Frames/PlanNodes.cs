namespace Millrace.Batch.Frames;

/// <summary>What a <see cref="DataFrame"/> does, step on step.</summary>
internal abstract record PlanNode;

internal sealed record ReadNode(string Table) : PlanNode;

internal sealed record ProjectNode(PlanNode Input, IReadOnlyList<Column> Columns) : PlanNode;

internal sealed record FilterNode(PlanNode Input, Column Condition) : PlanNode;

/// <summary>All columns, without one of the name, whatever its case, and then the new one.</summary>
internal sealed record WithColumnNode(PlanNode Input, string Name, Column Value) : PlanNode
{
    /// <summary>
    /// What the new one is called until the old one is gone: it is computed of the rows as they were, and there may be
    /// no other column.
    /// </summary>
    public const string NameBefore = "__new";
}

internal sealed record AggregateNode(
    PlanNode Input, IReadOnlyList<Column> Keys, IReadOnlyList<Column> Values) : PlanNode;

internal sealed record JoinNode(
    PlanNode Left, PlanNode Right, JoinKind Kind, IReadOnlyList<string> Using) : PlanNode;

internal sealed record UnionNode(PlanNode First, PlanNode Second) : PlanNode;

/// <summary>A row for each of the columns that has a value, instead of one for all.</summary>
internal sealed record UnpivotNode(
    PlanNode Input, IReadOnlyList<string> Columns, string NameColumn, string ValueColumn, IReadOnlyList<string> Ids)
    : PlanNode;

internal sealed record SortNode(PlanNode Input, IReadOnlyList<SortKey> Keys) : PlanNode;

internal sealed record LimitNode(PlanNode Input, int Rows) : PlanNode;

/// <summary>Which rows a join gives.</summary>
public enum JoinKind
{
    /// <summary>Pairs.</summary>
    Inner,

    /// <summary>Pairs, and rows of the left that have none.</summary>
    Left,

    /// <summary>Pairs, and rows of both that have none.</summary>
    Full,

    /// <summary>Rows of the left that have a pair, once.</summary>
    Semi,

    /// <summary>Rows of the left that have none.</summary>
    Anti,
}

/// <summary>Null is the least of all values.</summary>
public sealed record SortKey(Column Value, bool IsDescending)
{
    public static implicit operator SortKey(Column value) => new(value, IsDescending: false);

    public static implicit operator SortKey(string name) => new(Column.Of(name), IsDescending: false);
}
