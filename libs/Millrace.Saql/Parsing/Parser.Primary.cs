using System.Globalization;
using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    private ExpressionSyntax ParsePrimary(string wanted)
    {
        var start = Here;
        switch (Current.Kind)
        {
            case TokenKind.Integer or TokenKind.Fraction:
                return Number(start, "");
            case TokenKind.Text:
                return new LiteralSyntax(start, Take().Text);
            case TokenKind.QuotedName:
                return ParsePath();
            case TokenKind.Symbol when Current.Text == "(":
                return ParseParenthesised();
            case TokenKind.Name:
                return ParseWord(wanted);
            default:
                Unexpected(wanted);
                return new BadSyntax(start);
        }
    }

    private ExpressionSyntax ParseParenthesised()
    {
        var start = Here;
        Take();
        if (Current.IsWord("SELECT"))
        {
            RefuseSelect("within an expression",
                "compute the value in a step of WITH, and JOIN the step within a time");
            TryTakeSymbol(")");
            return new BadSyntax(start);
        }

        var inner = ParseExpression("an expression");
        if (TryTakeSymbol(")")) return inner with { Place = Since(start) };
        Unexpected("an operator or ')'");
        SkipToClose();
        return inner;
    }

    /// <summary>
    /// Passes over everything up to and with the parenthesis that closes this level, unless a clause begins.
    /// </summary>
    private void SkipToClose()
    {
        SkipItem(stopAtComma: false);
        while (Current.IsWord("SELECT") || Current.IsWord("FROM"))
        {
            if (_nesting <= 1) break;
            Take();
            SkipItem(stopAtComma: false);
        }

        TryTakeSymbol(")");
    }

    private ExpressionSyntax ParseWord(string wanted)
    {
        var start = Here;
        if (TryTakeWord("NULL")) return new LiteralSyntax(start, null);
        if (Current.IsWord("CASE")) return ParseCase();
        if ((Current.IsWord("CAST") || Current.IsWord("TRY_CAST")) && Following.IsSymbol("(")) return ParseCast();
        if (!AtBareName)
        {
            Unexpected(wanted);
            return new BadSyntax(start);
        }

        if (!Following.IsSymbol(".") && !Following.IsSymbol("("))
        {
            if (TryTakeWord("TRUE")) return new LiteralSyntax(start, true);
            if (TryTakeWord("FALSE")) return new LiteralSyntax(start, false);
        }

        return ParsePath();
    }

    /// <summary>A path of names, and a call when a parenthesis follows.</summary>
    private ExpressionSyntax ParsePath()
    {
        var start = Here;
        var parts = TakeParts();
        if (Current.IsSymbol("(")) return ParseCall(parts, Since(start));
        var isTimestamp = parts is [{ Quoted: false }, { Quoted: false }] && IsWord(parts[0], "System")
            && IsWord(parts[1], "Timestamp");
        return isTimestamp
            ? new CallSyntax(Since(start), "System.Timestamp", Since(start), [], false, false)
            : new NameSyntax(Since(start), parts);

        static bool IsWord(NamePart part, string word) => part.Text.Equals(word, StringComparison.OrdinalIgnoreCase);
    }

    private List<NamePart> TakeParts()
    {
        var parts = new List<NamePart>();
        do
        {
            var place = Here;
            var token = Take();
            parts.Add(new NamePart(token.Text, place, token.Kind == TokenKind.QuotedName));
            if (!Current.IsSymbol(".") || !Following.IsAnyName) break;
        }
        while (TryTakeSymbol("."));
        return parts;
    }

    private ExpressionSyntax ParseCall(List<NamePart> parts, TextSpan namePlace)
    {
        var name = string.Join('.', parts.Select(part => part.Text));
        Take();
        var distinct = TryTakeWord("DISTINCT");
        if (!distinct) TryTakeWord("ALL");
        var star = Current.IsSymbol("*") && Following.IsSymbol(")");
        if (star) Take();
        if (Current.IsWord("SELECT"))
        {
            var isExists = name.Equals("EXISTS", StringComparison.OrdinalIgnoreCase);
            RefuseSelect($"within {name}", isExists
                ? "JOIN it within a time; what did not happen is LEFT JOIN ... WHERE its key IS NULL"
                : "compute it in a step of WITH, and JOIN the step within a time");
            TryTakeSymbol(")");
            return new BadSyntax(Since(namePlace));
        }

        var arguments = star ? CloseStar() : ParseArguments("an argument");
        var call = Node(
            new CallSyntax(Since(namePlace), name, namePlace, arguments, star, distinct), [.. arguments]);
        if (call is not CallSyntax) return call;
        if (Current.IsWord("OVER") || (Current.IsWord("WITHIN") && Following.IsWord("GROUP")))
            call = ParseOver((CallSyntax)call, namePlace);
        if (!Current.IsSymbol(".") || !Following.IsAnyName) return call;
        Take();
        var members = TakeParts();
        return Node(new MemberSyntax(Since(namePlace), call, members), call);
    }

    private List<ExpressionSyntax> CloseStar()
    {
        Take();
        return [];
    }

    /// <summary>Up to and with the closing parenthesis; the opening one is taken.</summary>
    private List<ExpressionSyntax> ParseArguments(string wanted)
    {
        var arguments = new List<ExpressionSyntax>();
        if (TryTakeSymbol(")")) return arguments;
        do arguments.Add(ParseListed(wanted));
        while (TryTakeSymbol(","));
        if (TryTakeSymbol(")")) return arguments;
        Unexpected("',' or ')'");
        SkipToClose();
        return arguments;
    }

    private ExpressionSyntax ParseCase()
    {
        var start = Here;
        Take();
        var input = Current.IsWord("WHEN") ? null : ParseExpression("WHEN");
        var arms = new List<CaseArm>();
        while (TryTakeWord("WHEN"))
        {
            var when = ParseExpression("a condition");
            ExpectWord("THEN");
            arms.Add(new CaseArm(when, ParseExpression("a value")));
        }

        if (arms.Count == 0) Unexpected("WHEN");
        var otherwise = TryTakeWord("ELSE") ? ParseExpression("a value") : null;
        if (!TryTakeWord("END")) Unexpected(otherwise is null ? "WHEN, ELSE or END" : "END");
        var node = new CaseSyntax(Since(start), input, arms, otherwise);
        return Node(node, [.. arms.SelectMany(arm => new[] { arm.When, arm.Then }),
            input ?? arms.FirstOrDefault().When ?? new BadSyntax(start), otherwise ?? new BadSyntax(start)]);
    }

    private ExpressionSyntax ParseCast()
    {
        var start = Here;
        var isTry = Take().IsWord("TRY_CAST");
        Take();
        var value = ParseExpression("the value to cast");
        var typeName = "";
        var typePlace = Here;
        if (ExpectWord("AS")) (typeName, typePlace) = ParseType();

        if (!TryTakeSymbol(")"))
        {
            Unexpected("')'");
            SkipToClose();
        }

        return Node(new CastSyntax(Since(start), value, typeName, typePlace, isTry), value);
    }

    private (string Name, TextSpan Place) ParseType()
    {
        var place = Here;
        var name = TakeName("a data type: bigint, float, nvarchar(max), datetime, bit, record or array")?.Text ?? "";
        if (TryTakeSymbol("("))
        {
            if (TryTakeWord("MAX")) ExpectSymbol(")");
            else
            {
                Report(SaqlErrors.UnknownWord, Here,
                    $"Found {Current.Shown}; only text has a length, and only one: nvarchar(max).");
                SkipToClose();
            }
        }

        return (name, Since(place));
    }

    private LiteralSyntax Number(TextSpan start, string sign)
    {
        var token = Take();
        var text = sign + token.Text;
        var place = Since(start);
        if (token.Kind == TokenKind.Integer)
        {
            if (long.TryParse(text, CultureInfo.InvariantCulture, out var whole))
                return new LiteralSyntax(place, whole);
            Report(SaqlErrors.BadLiteral, place, $"{text} does not fit a bigint (64 bits).");
            return new LiteralSyntax(place, 0L);
        }

        var number = double.Parse(text, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number)) Report(SaqlErrors.BadLiteral, place, $"{text} does not fit a float.");
        return new LiteralSyntax(place, number);
    }
}
