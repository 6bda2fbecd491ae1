using Millrace.Batch.Frames;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>Makes expressions of the values of a frame.</summary>
internal static class FrameExpressions
{
    public static Expression Of(Column column) => column.Node switch
    {
        NameNode name => new Expression
        {
            UnresolvedAttribute = new Expression.Types.UnresolvedAttribute
            {
                UnparsedIdentifier = SparkDialect.Name(name.Name),
            },
        },
        LiteralNode literal => new Expression { Literal = SparkRelations.Literal(literal.Value) },
        CallNode call => Call(call.Function, call.IsDistinct, call.Arguments.Select(Of)),
        ItemNode item => new Expression
        {
            UnresolvedExtractValue = new Expression.Types.UnresolvedExtractValue
            {
                Child = Of(item.Map),
                Extraction = Of(item.Key),
            },
        },
        AliasNode alias => new Expression { Alias = Alias(alias.Value, alias.Name) },
        CastNode cast => new Expression
        {
            Cast = new Expression.Types.Cast
            {
                Expr = Of(cast.Value),
                TypeStr = TypeName(cast.Type),
                EvalMode = cast.IsTry
                    ? Expression.Types.Cast.Types.EvalMode.Try
                    : Expression.Types.Cast.Types.EvalMode.Unspecified,
            },
        },
        WindowNode window => Over(window),
        var other => throw new ArgumentOutOfRangeException(nameof(column), other, null),
    };

    public static Expression.Types.Alias Alias(Column value, string name) =>
        new() { Expr = Of(value), Name = { name } };

    public static Expression.Types.SortOrder Of(SortKey key) => new()
    {
        Child = Of(key.Value),
        Direction = key.IsDescending
            ? Expression.Types.SortOrder.Types.SortDirection.Descending
            : Expression.Types.SortOrder.Types.SortDirection.Ascending,
        NullOrdering = key.IsDescending
            ? Expression.Types.SortOrder.Types.NullOrdering.SortNullsLast
            : Expression.Types.SortOrder.Types.NullOrdering.SortNullsFirst,
    };

    private static Expression Call(string function, bool isDistinct, IEnumerable<Expression> arguments)
    {
        var call = new Expression.Types.UnresolvedFunction { FunctionName = function, IsDistinct = isDistinct };
        call.Arguments.Add(arguments);
        return new Expression { UnresolvedFunction = call };
    }

    private static Expression Over(WindowNode node)
    {
        var window = new Expression.Types.Window { WindowFunction = Of(node.Function) };
        window.PartitionSpec.Add(node.Window.Keys.Select(Of));
        window.OrderSpec.Add(node.Window.Order.Select(Of));
        if (node.Window.Bounds is { } bounds)
        {
            window.FrameSpec = new Expression.Types.Window.Types.WindowFrame
            {
                FrameType = Expression.Types.Window.Types.WindowFrame.Types.FrameType.Row,
                Lower = Bound(bounds.From),
                Upper = Bound(bounds.To),
            };
        }

        return new Expression { Window = window };
    }

    private static Expression.Types.Window.Types.WindowFrame.Types.FrameBoundary Bound(int? rows) => rows switch
    {
        null => new() { Unbounded = true },
        0 => new() { CurrentRow = true },
        _ => new() { Value = new Expression { Literal = SparkRelations.Literal(rows.Value) } },
    };

    private static string TypeName(ColumnType type) => type switch
    {
        ColumnType.String => "STRING",
        ColumnType.Integer => "INT",
        ColumnType.Long => "BIGINT",
        ColumnType.Double => "DOUBLE",
        ColumnType.Boolean => "BOOLEAN",
        ColumnType.Date => "DATE",
        ColumnType.Timestamp => "TIMESTAMP",
        ColumnType.Binary => "BINARY",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
