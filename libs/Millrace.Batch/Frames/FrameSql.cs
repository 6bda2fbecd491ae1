using System.Globalization;

namespace Millrace.Batch.Frames;

/// <summary>
/// Writes steps as SQL for DuckDB. Conditions stay beside the table that they are about, where they prune files.
/// </summary>
internal static class FrameSql
{
    public static string Of(PlanNode plan) => SelectOf(plan).ToString();

    private static Select SelectOf(PlanNode plan) => plan switch
    {
        ReadNode read => new Select { From = Name(read.Table) },
        FilterNode filter => Within(filter.Input, select => !select.IsShaped,
            select => select with { Where = [.. select.Where, ValueSql.Of(filter.Condition)] }),
        ProjectNode project => Within(project.Input, select => !select.IsShaped,
            select => select with { Columns = Joined(project.Columns) }),
        WithColumnNode with => WithColumn(with),
        AggregateNode aggregate => Within(aggregate.Input, select => !select.IsShaped, select => select with
        {
            Columns = Joined([.. aggregate.Keys, .. aggregate.Values]),
            GroupBy = aggregate.Keys.Count == 0
                ? ""
                : string.Join(", ", Enumerable.Range(1, aggregate.Keys.Count)),
        }),
        SortNode sort => Within(sort.Input, select => !select.IsShaped,
            select => select with { OrderBy = ValueSql.Of(sort.Keys) }),
        LimitNode limit => Within(limit.Input, select => select.Limit is null,
            select => select with { Limit = limit.Rows.ToString(CultureInfo.InvariantCulture) }),
        JoinNode join => new Select
        {
            From = $"({Of(join.Left)}) {Word(join.Kind)} JOIN ({Of(join.Right)}) "
                + $"USING ({string.Join(", ", join.Using.Select(Name))})",
        },
        UnpivotNode unpivot => new Select
        {
            Columns = string.Join(", ",
                unpivot.Ids.Append(unpivot.NameColumn).Append(unpivot.ValueColumn).Select(Name)),
            From = $"({Of(unpivot.Input)}) UNPIVOT ({Name(unpivot.ValueColumn)} FOR {Name(unpivot.NameColumn)} "
                + $"IN ({string.Join(", ", unpivot.Columns.Select(Name))}))",
        },
        UnionNode union => new Select { From = $"(({Of(union.First)}) UNION ALL ({Of(union.Second)}))" },
        _ => throw new ArgumentOutOfRangeException(nameof(plan), plan, null),
    };

    private static Select WithColumn(WithColumnNode node)
    {
        var with = Within(node.Input, select => !select.IsShaped,
            select => select with { Columns = $"*, {ValueSql.Of(node.Value.As(WithColumnNode.NameBefore))}" });
        var without = new Select
        {
            Columns = $"COLUMNS(lambda c: lower(c) <> lower({ValueSql.Text(node.Name)}))",
            From = $"({with})",
        };
        return new Select
        {
            Columns = $"* RENAME ({Name(WithColumnNode.NameBefore)} AS {Name(node.Name)})",
            From = $"({without})",
        };
    }

    /// <summary>One SELECT with what the input is, when that can take one step more, else one around it.</summary>
    private static Select Within(
        PlanNode input, Func<Select, bool> fits, Func<Select, Select> add)
    {
        var select = SelectOf(input);
        return add(fits(select) ? select : new Select { From = $"({select})" });
    }

    private static string Joined(IReadOnlyList<Column> columns) => string.Join(", ", columns.Select(ValueSql.Of));

    private static string Name(string name) => ValueSql.Name(name);

    private static string Word(JoinKind kind) => kind switch
    {
        JoinKind.Inner => "INNER",
        JoinKind.Left => "LEFT",
        JoinKind.Full => "FULL",
        JoinKind.Semi => "SEMI",
        JoinKind.Anti => "ANTI",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    private sealed record Select
    {
        public required string From { get; init; }

        public IReadOnlyList<string> Where { get; init; } = [];

        public string? Columns { get; init; }

        /// <summary>Empty: all rows are one group.</summary>
        public string? GroupBy { get; init; }

        public string? OrderBy { get; init; }

        public string? Limit { get; init; }

        /// <summary>Whether its rows are no longer those of its source.</summary>
        public bool IsShaped => (Columns ?? GroupBy ?? OrderBy ?? Limit) is not null;

        public override string ToString()
        {
            var where = Where.Count == 0 ? "" : $" WHERE {string.Join(" AND ", Where)}";
            var groupBy = string.IsNullOrEmpty(GroupBy) ? "" : $" GROUP BY {GroupBy}";
            var orderBy = OrderBy is null ? "" : $" ORDER BY {OrderBy}";
            var limit = Limit is null ? "" : $" LIMIT {Limit}";
            return $"SELECT {Columns ?? "*"} FROM {From}{where}{groupBy}{orderBy}{limit}";
        }
    }
}
