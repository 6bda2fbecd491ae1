using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

internal sealed partial class Parser
{
    private ExpressionSyntax ParseExpression(string wanted)
    {
        if (_nesting >= NestingMax)
        {
            Report(SaqlErrors.TooLarge, Here, $"Expressions nest more than {NestingMax} levels deep.");
            var place = Here;
            _at = _tokens.Count - 1;
            return new BadSyntax(place);
        }

        _nesting++;
        var expression = ParseOr(wanted);
        _nesting--;
        return expression;
    }

    private ExpressionSyntax ParseOr(string wanted) => ParseChain("OR", ParseAnd, wanted);

    private ExpressionSyntax ParseAnd(string wanted) => ParseChain("AND", ParseNot, wanted);

    /// <summary>
    /// Conditions that one word connects, as many as one likes. They become a balanced tree: what is looked at, in
    /// which order, and what is true, is the same however AND or OR are put in parentheses.
    /// </summary>
    private ExpressionSyntax ParseChain(string word, Func<string, ExpressionSyntax> parse, string wanted)
    {
        List<ExpressionSyntax> links = [parse(wanted)];
        List<TextSpan> words = [];
        while (Current.IsWord(word))
        {
            words.Add(Here);
            Take();
            links.Add(parse($"a value after {word}"));
        }

        return Tree(0, links.Count);

        ExpressionSyntax Tree(int start, int end)
        {
            if (end - start == 1) return links[start];
            var middle = (start + end + 1) / 2;
            var (left, right) = (Tree(start, middle), Tree(middle, end));
            var place = TextSpan.Between(left.Place, right.Place);
            return Node(new BinarySyntax(place, word, words[middle - 1], left, right), left, right);
        }
    }

    private ExpressionSyntax ParseNot(string wanted)
    {
        var start = Here;
        var negations = 0;
        while (TryTakeWord("NOT")) negations++;
        var operand = ParseComparison(negations > 0 ? "a condition" : wanted);
        if (negations == 0) return operand;
        ExpressionSyntax not = Node(new UnarySyntax(Since(start), "NOT", operand), operand);
        return negations % 2 == 1 ? not : Node(new UnarySyntax(Since(start), "NOT", not), not);
    }

    private ExpressionSyntax ParseComparison(string wanted)
    {
        var left = ParseAdditive(wanted);
        while (true)
        {
            var token = Current;
            if (token.Kind == TokenKind.Symbol
                && token.Text is "=" or "<>" or "!=" or "<" or ">" or "<=" or ">=" or "!<" or "!>")
                left = Binary(left, ParseAdditive);
            else if (token.IsWord("IS")) left = ParseIsNull(left);
            else if (token.IsWord("NOT") || token.IsWord("BETWEEN") || token.IsWord("IN") || token.IsWord("LIKE"))
            {
                if (ParseMembership(left) is not { } membership) return left;
                left = membership;
            }
            else return left;
        }
    }

    private ExpressionSyntax ParseIsNull(ExpressionSyntax value)
    {
        Take();
        var negated = TryTakeWord("NOT");
        ExpectWord("NULL");
        return Node(new IsNullSyntax(Since(value.Place), value, negated), value);
    }

    /// <summary>[NOT] BETWEEN, IN or LIKE.</summary>
    private ExpressionSyntax? ParseMembership(ExpressionSyntax value)
    {
        var negated = TryTakeWord("NOT");
        if (TryTakeWord("BETWEEN"))
        {
            var low = ParseAdditive("the lower bound");
            ExpectWord("AND");
            var high = ParseAdditive("the upper bound");
            return Node(new BetweenSyntax(Since(value.Place), value, low, high, negated), value, low, high);
        }

        if (TryTakeWord("IN"))
        {
            ExpectSymbol("(");
            if (Current.IsWord("SELECT"))
            {
                RefuseSelect("within IN", negated
                    ? "LEFT JOIN it within a time, WHERE its key IS NULL; reference data needs no time"
                    : "JOIN it within a time; reference data needs no time");
                TryTakeSymbol(")");
                return new BadSyntax(Since(value.Place));
            }

            var choices = ParseArguments("a value");
            return Node(new InSyntax(Since(value.Place), value, choices, negated), [value, .. choices]);
        }

        if (TryTakeWord("LIKE"))
        {
            var pattern = ParseAdditive("a pattern");
            var escape = TryTakeWord("ESCAPE") ? ParseAdditive("the escape character") : null;
            return Node(new LikeSyntax(Since(value.Place), value, pattern, escape, negated), value, pattern);
        }

        Unexpected("BETWEEN, IN or LIKE after NOT");
        return null;
    }

    private ExpressionSyntax ParseAdditive(string wanted)
    {
        var left = ParseMultiplicative(wanted);
        while (Current.Kind == TokenKind.Symbol && Current.Text is "+" or "-" or "&" or "|" or "^")
            left = Binary(left, ParseMultiplicative);
        return left;
    }

    private ExpressionSyntax ParseMultiplicative(string wanted)
    {
        var left = ParseUnary(wanted);
        while (Current.Kind == TokenKind.Symbol && Current.Text is "*" or "/" or "%") left = Binary(left, ParseUnary);
        return left;
    }

    private ExpressionSyntax ParseUnary(string wanted)
    {
        if (Current.Kind != TokenKind.Symbol || Current.Text is not ("-" or "+" or "~")) return ParsePrimary(wanted);
        var start = Here;
        var symbol = Take().Text;
        if (symbol == "-" && Current.Kind is TokenKind.Integer or TokenKind.Fraction) return Number(start, "-");
        if (_nesting >= NestingMax) return ParseExpression(wanted);
        _nesting++;
        var operand = ParseUnary("a value");
        _nesting--;
        return Node(new UnarySyntax(Since(start), symbol, operand), operand);
    }

    private ExpressionSyntax Binary(ExpressionSyntax left, Func<string, ExpressionSyntax> parseRight)
    {
        var place = Here;
        var name = Take().Text.ToUpperInvariant();
        var right = parseRight($"a value after {name}");
        return Node(new BinarySyntax(Since(left.Place), name, place, left, right), left, right);
    }

    private ExpressionSyntax Node(ExpressionSyntax node, params ReadOnlySpan<ExpressionSyntax> children)
    {
        foreach (var child in children) node.Depth = Math.Max(node.Depth, child.Depth + 1);
        if (node.Depth <= DepthMax) return node;
        Report(SaqlErrors.TooLarge, node.Place, $"The expression has more than {DepthMax} levels.");
        return new BadSyntax(node.Place);
    }
}
