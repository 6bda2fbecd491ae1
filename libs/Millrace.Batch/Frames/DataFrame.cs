namespace Millrace.Batch.Frames;

/// <summary>
/// Rows to be computed, as steps that an engine runs when it is asked for them: relations of Spark Connect, or SQL for
/// DuckDB. Never changes; each step makes another.
/// </summary>
public sealed class DataFrame
{
    private DataFrame(PlanNode plan) => Plan = plan;

    internal PlanNode Plan { get; }

    /// <summary>All rows of a table: <c>telemetry</c>, or the results of a job.</summary>
    public static DataFrame Read(string table) => new(new ReadNode(table));

    public DataFrame Select(params IReadOnlyList<Column> columns) => new(new ProjectNode(Plan, columns));

    /// <summary>The rows for which the condition is true.</summary>
    public DataFrame Filter(Column condition) => new(new FilterNode(Plan, condition));

    /// <summary>One column more, at the end; it takes the place of one of that name, whatever its case.</summary>
    public DataFrame WithColumn(string name, Column value) => new(new WithColumnNode(Plan, name, value));

    public GroupedFrame GroupBy(params IReadOnlyList<Column> keys) => new(Plan, keys);

    /// <summary>
    /// With the rows of the other that have equal values in these columns. Its order of columns is each engine's own:
    /// select what you need.
    /// </summary>
    public DataFrame Join(DataFrame other, JoinKind kind, params IReadOnlyList<string> columns) =>
        new(new JoinNode(Plan, other.Plan, kind, columns));

    /// <summary>And the rows of the other, whose columns are the same, in the same order.</summary>
    public DataFrame UnionAll(DataFrame other) => new(new UnionNode(Plan, other.Plan));

    /// <summary>
    /// A row for each of the columns that has a value: its name, and the value. The columns have one type; of the
    /// others the ids stay.
    /// </summary>
    public DataFrame Unpivot(
        IReadOnlyList<string> ids, IReadOnlyList<string> columns, string nameColumn, string valueColumn) =>
        new(new UnpivotNode(Plan, columns, nameColumn, valueColumn, ids));

    public DataFrame OrderBy(params IReadOnlyList<SortKey> keys) => new(new SortNode(Plan, keys));

    public DataFrame Limit(int rows) => new(new LimitNode(Plan, rows));

    /// <summary>The steps in the dialect of docs/sql-batch.md.</summary>
    public string ToSql() => FrameSql.Of(Plan);

    public BatchQuery ToQuery(long rowsMax = 0) => new(ToSql(), RowsMax: rowsMax) { Plan = Plan };

    internal static DataFrame Of(PlanNode plan) => new(plan);
}

/// <summary>Rows with equal keys, which become one each.</summary>
public sealed class GroupedFrame
{
    private readonly PlanNode _input;
    private readonly IReadOnlyList<Column> _keys;

    internal GroupedFrame(PlanNode input, IReadOnlyList<Column> keys) => (_input, _keys) = (input, keys);

    /// <summary>The keys, and then these values of each group.</summary>
    public DataFrame Aggregate(params IReadOnlyList<Column> values) =>
        DataFrame.Of(new AggregateNode(_input, _keys, values));
}
