using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    public ScriptSyntax ParseScript()
    {
        var tables = new List<TableSyntax>();
        var steps = new List<StepSyntax>();
        var queries = new List<QuerySyntax>();
        while (Current.Kind != TokenKind.End)
        {
            if (TryTakeSymbol(";")) continue;
            if (Current.IsWord("WITH"))
            {
                if (queries.Count > 0 || steps.Count > 0)
                    Report(SaqlErrors.Unexpected, Here, "There is one WITH, and it stands before the first SELECT.");
                Take();
                ParseSteps(steps);
            }
            else if (Current.IsWord("SELECT") || Current.IsSymbol("(")) queries.Add(ParseQuery());
            else if (Current.IsWord("CREATE")) ParseTable(tables);
            else
            {
                Unexpected(queries.Count == 0 ? "WITH or SELECT" : "SELECT or the end of the query");
                SkipStatement();
            }
        }

        if (queries.Count == 0) Unexpected("SELECT");
        return new ScriptSyntax(tables, steps, queries);
    }

    private void SkipStatement()
    {
        Take();
        while (Current.Kind != TokenKind.End && !Current.IsSymbol(";") && !Current.IsWord("SELECT") &&
            !Current.IsWord("WITH"))
            Take();
    }

    private void ParseSteps(List<StepSyntax> steps)
    {
        do
        {
            var place = Here;
            var name = TakeName("the name of a step");
            if (name is null)
            {
                SkipItem();
                continue;
            }

            ExpectWord("AS");
            if (!ExpectSymbol("("))
            {
                SkipItem();
                continue;
            }

            var query = ParseQuery();
            if (query.Into is not null)
                Report(SaqlErrors.Unexpected, query.IntoPlace,
                    "A step of WITH has no INTO: only the queries after it write outputs.");
            if (!TryTakeSymbol(")"))
            {
                Unexpected("')' at the end of the step");
                SkipItem(stopAtComma: false);
                TryTakeSymbol(")");
            }

            steps.Add(new StepSyntax(name.Value.Text, place, query));
        }
        while (TryTakeSymbol(","));
    }

    private QuerySyntax ParseQuery()
    {
        var start = Here;
        var branches = new List<SelectSyntax>();
        string? into = null;
        var intoPlace = start;
        do
        {
            var parentheses = 0;
            while (TryTakeSymbol("(")) parentheses++;
            if (!Current.IsWord("SELECT"))
            {
                Unexpected("SELECT");
                SkipItem();
                break;
            }

            branches.Add(ParseSelect(ref into, ref intoPlace));
            while (parentheses-- > 0) ExpectSymbol(")");
        }
        while (TryTakeUnion() || TryRefuseSetOperation());

        return new QuerySyntax(Since(start), branches, into, intoPlace);
    }

    private bool TryTakeUnion()
    {
        if (!TryTakeWord("UNION")) return false;
        TryTakeWord("ALL");
        return true;
    }

    private SelectSyntax ParseSelect(ref string? into, ref TextSpan intoPlace)
    {
        var start = Here;
        Take();
        var isDistinct = TryTakeWord("DISTINCT");
        if (!isDistinct) RefuseSelectAll();
        var items = ParseItems();
        if (Current.IsWord("INTO")) ParseInto(ref into, ref intoPlace);
        var from = ParseFrom();
        ExpressionSyntax? where = null;
        ExpressionSyntax? having = null;
        List<ExpressionSyntax>? groupBy = null;
        var groupByPlace = Here;
        if (TryTakeWord("WHERE")) where = ParseClause("a condition");
        if (Current.IsWord("GROUP"))
        {
            groupByPlace = Here;
            Take();
            ExpectWord("BY");
            groupBy = [];
            do groupBy.Add(ParseListed("a column or a window"));
            while (TryTakeSymbol(","));
        }

        if (TryTakeWord("HAVING")) having = ParseClause("a condition");
        if (Current.IsWord("ORDER"))
        {
            Report(SaqlErrors.Unexpected, Here, "There is no ORDER BY: rows come in the order of their time.");
            SkipItem(stopAtComma: false);
        }

        return new SelectSyntax(Since(start), items, from, where, groupBy, groupByPlace, having)
        {
            IsDistinct = isDistinct,
        };
    }

    private void ParseInto(ref string? into, ref TextSpan place)
    {
        Take();
        var at = Here;
        if (TakeName("the name of an output") is not { } name) return;
        if (into is not null) Report(SaqlErrors.Unexpected, at, "A UNION writes one output; there was an INTO before.");
        into ??= name.Text;
        place = at;
    }

    private List<SelectItemSyntax> ParseItems()
    {
        var items = new List<SelectItemSyntax>();
        if (Current.IsWord("TOP") && Following.Kind == TokenKind.Integer)
        {
            Report(SaqlErrors.Unexpected, Here,
                "SELECT TOP is not part of the language: a stream has no end. " +
                "TopOne() and CollectTop() are of a window.");
            Take();
            Take();
        }

        do items.Add(ParseItem());
        while (TryTakeSymbol(","));
        if (AtClause || Current.IsSymbol(")")) return items;
        Unexpected("',' or FROM");
        SkipItem(stopAtComma: false);
        return items;
    }

    private SelectItemSyntax ParseItem()
    {
        var start = Here;
        if (TryTakeSymbol("*")) return new SelectItemSyntax(start, null, null, start, true);
        if (AtBareName && Following.IsSymbol("="))
        {
            var name = Take();
            Take();
            return new SelectItemSyntax(start, ParseListed("an expression"), name.Text, start, false);
        }

        var expression = ParseListed("a column or an expression");
        if (expression is NameSyntax && Current.IsSymbol(".") && Following.IsSymbol("*"))
        {
            Take();
            Take();
            return new SelectItemSyntax(Since(start), expression, null, start, true);
        }

        var aliasPlace = Here;
        string? alias = null;
        if (TryTakeWord("AS"))
        {
            aliasPlace = Here;
            if (Current.Kind == TokenKind.Text) alias = Take().Text;
            else alias = TakeName("a name for the column")?.Text;
        }
        else if (AtBareName) alias = Take().Text;

        if (!Current.IsSymbol(",") && !Current.IsSymbol(")") && !AtClause)
        {
            Unexpected("an operator, AS, ',' or FROM");
            SkipItem();
        }

        return new SelectItemSyntax(Since(start), expression, alias, aliasPlace, false);
    }

    private ExpressionSyntax ParseClause(string wanted)
    {
        var expression = ParseExpression(wanted);
        if (AtClause || Current.IsSymbol(")") || Current.IsWord("ORDER")) return expression;
        Unexpected("an operator or the next clause");
        SkipItem(stopAtComma: false);
        return expression;
    }

    /// <summary>An expression in a list; what is broken in it ends at the next comma.</summary>
    private ExpressionSyntax ParseListed(string wanted)
    {
        var expression = ParseExpression(wanted);
        if (expression is BadSyntax) SkipItem();
        return expression;
    }
}
