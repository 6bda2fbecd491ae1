using Millrace.Batch.Frames;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>Makes relations of the steps of a frame.</summary>
internal sealed class FrameRelations(IReadOnlyDictionary<string, Relation> tables)
{
    public Relation Of(PlanNode plan) => plan switch
    {
        // What is not among them is the server's to refuse.
        ReadNode read => tables.GetValueOrDefault(read.Table) ?? SparkRelations.Table(read.Table),
        ProjectNode project => Project(project),
        FilterNode filter => new Relation
        {
            Filter = new Filter { Input = Of(filter.Input), Condition = FrameExpressions.Of(filter.Condition) },
        },
        WithColumnNode with => WithColumn(with),
        AggregateNode aggregate => Aggregate(aggregate),
        JoinNode join => Join(join),
        UnionNode union => new Relation
        {
            SetOp = new SetOperation
            {
                LeftInput = Of(union.First),
                RightInput = Of(union.Second),
                SetOpType = SetOperation.Types.SetOpType.Union,
                IsAll = true,
            },
        },
        UnpivotNode unpivot => Unpivot(unpivot),
        SortNode sort => Sort(sort),
        LimitNode limit => new Relation { Limit = new Limit { Input = Of(limit.Input), Limit_ = limit.Rows } },
        _ => throw new ArgumentOutOfRangeException(nameof(plan), plan, null),
    };

    private Relation Project(ProjectNode node)
    {
        var project = new Project { Input = Of(node.Input) };
        project.Expressions.Add(node.Columns.Select(FrameExpressions.Of));
        return new Relation { Project = project };
    }

    private Relation WithColumn(WithColumnNode node)
    {
        const string part = WithColumnNode.NameBefore;
        var with = new WithColumns { Input = Of(node.Input) };
        with.Aliases.Add(FrameExpressions.Alias(node.Value, part));
        var drop = new Drop { Input = new Relation { WithColumns = with } };
        drop.ColumnNames.Add(node.Name);
        var rename = new WithColumnsRenamed { Input = new Relation { Drop = drop } };
        rename.Renames.Add(new WithColumnsRenamed.Types.Rename { ColName = part, NewColName = node.Name });
        return new Relation { WithColumnsRenamed = rename };
    }

    private Relation Aggregate(AggregateNode node)
    {
        var aggregate = new Aggregate
        {
            Input = Of(node.Input),
            GroupType = Protocol.Aggregate.Types.GroupType.Groupby,
        };
        aggregate.GroupingExpressions.Add(node.Keys.Select(FrameExpressions.Of));
        aggregate.AggregateExpressions.Add(node.Values.Select(FrameExpressions.Of));
        return new Relation { Aggregate = aggregate };
    }

    private Relation Join(JoinNode node)
    {
        var join = new Join
        {
            Left = Of(node.Left),
            Right = Of(node.Right),
            JoinType = node.Kind switch
            {
                JoinKind.Inner => Protocol.Join.Types.JoinType.Inner,
                JoinKind.Left => Protocol.Join.Types.JoinType.LeftOuter,
                JoinKind.Full => Protocol.Join.Types.JoinType.FullOuter,
                JoinKind.Semi => Protocol.Join.Types.JoinType.LeftSemi,
                JoinKind.Anti => Protocol.Join.Types.JoinType.LeftAnti,
                _ => throw new ArgumentOutOfRangeException(nameof(node), node.Kind, null),
            },
        };
        join.UsingColumns.Add(node.Using);
        return new Relation { Join = join };
    }

    private Relation Unpivot(UnpivotNode node)
    {
        var unpivot = new Unpivot
        {
            Input = Of(node.Input),
            VariableColumnName = node.NameColumn,
            ValueColumnName = node.ValueColumn,
            Values = new Unpivot.Types.Values(),
        };
        unpivot.Ids.Add(node.Ids.Select(name => FrameExpressions.Of(name)));
        unpivot.Values.Values_.Add(node.Columns.Select(name => FrameExpressions.Of(name)));
        return new Relation
        {
            Filter = new Filter
            {
                Input = new Relation { Unpivot = unpivot },
                Condition = FrameExpressions.Of(Column.Of(node.ValueColumn).IsNotNull()),
            },
        };
    }

    private Relation Sort(SortNode node)
    {
        var sort = new Sort { Input = Of(node.Input), IsGlobal = true };
        sort.Order.Add(node.Keys.Select(FrameExpressions.Of));
        return new Relation { Sort = sort };
    }
}
