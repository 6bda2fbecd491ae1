using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    private FromSyntax? ParseFrom()
    {
        if (!TryTakeWord("FROM"))
        {
            Unexpected("FROM");
            return null;
        }

        if (ParseJoined() is not { } source)
        {
            SkipItem(stopAtComma: false);
            return null;
        }

        if (!AtClause && !Current.IsSymbol(")") && !Current.IsWord("ORDER"))
        {
            Report(SaqlErrors.Unexpected, Here, Current.IsSymbol(",")
                ? "Several sources are joined with JOIN ... ON, not with a comma."
                : $"Found {Current.Shown}; expected TIMESTAMP BY, JOIN, WHERE, GROUP BY, HAVING, UNION or the end of " +
                    "the query.");
            SkipItem(stopAtComma: false);
        }

        return source;
    }

    /// <summary>A source with what is joined to it. Parentheses around them change nothing.</summary>
    private FromSyntax? ParseJoined()
    {
        var isWrapped = Current.IsSymbol("(") && !Following.IsWord("SELECT") && !Following.IsSymbol("(");
        if (isWrapped) Take();
        if ((isWrapped ? ParseNested(ParseJoined) : ParseSource()) is not { } source) return null;
        if (isWrapped) ExpectSymbol(")");
        else if (Current.IsWord("MATCH_RECOGNIZE")) source = source with { Match = ParseMatch() };
        var joins = source.Joins.ToList();
        while (ParseJoin() is { } join) joins.Add(join);
        return source with { Joins = joins };
    }

    /// <summary>One source with its own options.</summary>
    private FromSyntax? ParseSource()
    {
        var place = Here;
        FromSyntax source;
        if (TryTakeSymbol("("))
        {
            if (!Current.IsWord("SELECT") && !Current.IsSymbol("("))
            {
                Unexpected("SELECT");
                return null;
            }

            var query = ParseNested(ParseQuery);
            if (query is null) return null;
            if (query.Into is not null)
                Report(SaqlErrors.Unexpected, query.IntoPlace, "A SELECT within FROM has no INTO.");
            ExpectSymbol(")");
            source = new FromSyntax("", Since(place), ParseSourceAlias()) { Query = query };
        }
        else if (TakeName("the name of an input or a step") is { } name)
            source = new FromSyntax(name.Text, place, ParseSourceAlias());
        else return null;
        while (ParseSourceOption(ref source))
        {
        }

        return source;
    }

    private T? ParseNested<T>(Func<T?> parse) where T : class
    {
        if (_nesting >= NestingMax)
        {
            Report(SaqlErrors.TooLarge, Here, $"Queries nest more than {NestingMax} levels deep.");
            _at = _tokens.Count - 1;
            return null;
        }

        _nesting++;
        var parsed = parse();
        _nesting--;
        return parsed;
    }

    private string? ParseSourceAlias()
    {
        if (TryTakeWord("AS")) return TakeName("an alias")?.Text;
        var isOption = Following.IsWord("BY")
            || (Current.IsWord("LEFT") && (Following.IsWord("JOIN") || Following.IsWord("OUTER")));
        return AtBareName && !isOption && !AtOtherJoin && !AtSetOperation ? Take().Text : null;
    }

    private bool ParseSourceOption(ref FromSyntax source)
    {
        if (Current.IsWord("TIMESTAMP") && Following.IsWord("BY"))
        {
            Take();
            Take();
            source = source with { TimestampBy = ParseExpression("the time of an event") };
            if (TryTakeWord("OVER")) source = source with { TimestampOver = ParsePartitionKeys() };
            return true;
        }

        if (!Current.IsWord("PARTITION") || !Following.IsWord("BY")) return false;
        Take();
        Take();
        source = source with { PartitionBy = ParseExpression("PartitionId") };
        if (!Current.IsWord("INTO") || Following.Kind != TokenKind.Integer) return true;

        // Into how many it is parted does not change an answer.
        Take();
        Take();
        return true;
    }

    private JoinSyntax? ParseJoin()
    {
        var start = Here;
        var isOther = AtOtherJoin;
        if (isOther) RefuseJoin();
        var isLeft = Current.IsWord("LEFT") && !Following.IsSymbol("(");
        if (Current.IsWord("CROSS") || (Current.IsWord("OUTER") && Following.IsWord("APPLY"))) return ParseApply();
        if (!Current.IsWord("JOIN") && !Current.IsWord("INNER") && !isLeft) return null;
        if (isLeft)
        {
            Take();
            TryTakeWord("OUTER");
        }
        else TryTakeWord("INNER");

        if (!ExpectWord("JOIN") || ParseSource() is not { } source)
        {
            SkipItem(stopAtComma: false);
            return null;
        }

        // Of the joins that there are not, some have no ON.
        if (isOther && !Current.IsWord("ON")) return null;
        if (ExpectWord("ON"))
            return new SourceJoinSyntax(Since(start), isLeft, source, ParseExpression("a condition"));
        SkipItem(stopAtComma: false);
        return null;
    }

    private ApplySyntax? ParseApply()
    {
        var start = Here;
        var isOuter = Take().IsWord("OUTER");
        var place = Here;
        if (!ExpectWord("APPLY") || ParseExpression("GetArrayElements or GetRecordProperties") is not { } applied)
            return null;
        var alias = ParseSourceAlias();
        if (applied is CallSyntax call && alias is not null) return new ApplySyntax(Since(start), isOuter, call, alias);
        if (applied is not BadSyntax)
            Report(SaqlErrors.Unexpected, place,
                "Expected APPLY GetArrayElements(x) AS alias, or GetRecordProperties(x) AS alias.");
        return null;
    }

    /// <summary>CREATE TABLE name (column type, ...).</summary>
    private void ParseTable(List<TableSyntax> tables)
    {
        Take();
        var isRead = ExpectWord("TABLE");
        var place = Here;
        if (!isRead || TakeName("the name of an input") is not { } name || !ExpectSymbol("("))
        {
            SkipStatement();
            return;
        }

        var columns = new List<TableColumn>();
        do
        {
            if (TakeName("the name of a column") is not { } column)
            {
                SkipItem();
                continue;
            }

            var (typeName, typePlace) = ParseType();
            columns.Add(new TableColumn(column.Text, typeName, typePlace));
        }
        while (TryTakeSymbol(","));
        if (!ExpectSymbol(")")) SkipStatement();
        tables.Add(new TableSyntax(name.Text, place, columns));
    }
}
