namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    /// <summary>OVER (PARTITION BY ... ORDER BY ... LIMIT DURATION(...) WHEN ...) after a call, in any order.</summary>
    private ExpressionSyntax ParseOver(CallSyntax call, TextSpan start)
    {
        if (Take().IsWord("WITHIN")) Take();
        List<ExpressionSyntax> partitionBy = [];
        List<OrderSyntax> orderBy = [];
        CallSyntax? limit = null;
        ExpressionSyntax? when = null;
        if (!ExpectSymbol("(")) return new BadSyntax(Since(start));
        while (!TryTakeSymbol(")"))
        {
            if (partitionBy.Count == 0 && TryTakeWord("PARTITION"))
            {
                ExpectWord("BY");
                partitionBy = ParsePartitionKeys();
            }
            else if (orderBy.Count == 0 && Current.IsWord("ORDER")) orderBy = ParseOrder();
            else if (limit is null && Current.IsWord("LIMIT")) limit = ParseLimit();
            else if (when is null && TryTakeWord("WHEN")) when = ParseExpression("a condition");
            else
            {
                Unexpected("PARTITION BY, ORDER BY, LIMIT DURATION or WHEN, each once, or ')'");
                SkipToClose();
                break;
            }
        }

        return Node(new OverSyntax(Since(start), call, partitionBy, orderBy, limit, when),
            [call, .. partitionBy, .. orderBy.Select(order => order.Value), when ?? call]);
    }

    private List<ExpressionSyntax> ParsePartitionKeys()
    {
        var keys = new List<ExpressionSyntax>();
        do keys.Add(ParseListed("a key"));
        while (TryTakeSymbol(","));
        return keys;
    }

    private List<OrderSyntax> ParseOrder()
    {
        Take();
        ExpectWord("BY");
        var order = new List<OrderSyntax>();
        do
        {
            var value = ParseListed("what to order by");
            var isDescending = TryTakeWord("DESC");
            if (!isDescending) TryTakeWord("ASC");
            order.Add(new OrderSyntax(value, isDescending));
        }
        while (TryTakeSymbol(","));
        return order;
    }

    /// <summary>LIMIT DURATION(unit, length).</summary>
    private CallSyntax? ParseLimit()
    {
        Take();
        var start = Here;
        if (!ExpectWord("DURATION") || !ExpectSymbol("(")) return null;
        var arguments = ParseArguments("a unit and a length");
        return new CallSyntax(Since(start), "DURATION", start, arguments, false, false);
    }
}
