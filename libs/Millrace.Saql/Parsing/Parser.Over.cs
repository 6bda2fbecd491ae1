namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    /// <summary>OVER (PARTITION BY ... ORDER BY ... LIMIT DURATION(...) WHEN ...) after a call.</summary>
    private ExpressionSyntax ParseOver(CallSyntax call, TextSpan start)
    {
        if (Take().IsWord("WITHIN")) Take();
        List<ExpressionSyntax> partitionBy = [];
        List<OrderSyntax> orderBy = [];
        CallSyntax? limit = null;
        ExpressionSyntax? when = null;
        if (!ExpectSymbol("(")) return new BadSyntax(Since(start));
        if (Current.IsWord("PARTITION"))
        {
            Take();
            ExpectWord("BY");
            partitionBy = ParsePartitionKeys();
        }

        if (Current.IsWord("ORDER")) orderBy = ParseOrder();
        if (Current.IsWord("LIMIT")) limit = ParseLimit();
        if (TryTakeWord("WHEN")) when = ParseExpression("a condition");
        if (!TryTakeSymbol(")"))
        {
            Unexpected("PARTITION BY, ORDER BY, LIMIT DURATION, WHEN or ')'");
            SkipToClose();
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
