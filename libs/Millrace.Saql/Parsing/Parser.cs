using Millrace.Primitives;
using Millrace.Saql.Lexing;

namespace Millrace.Saql.Parsing;

/// <summary>
/// Recursive descent over the tokens. After an error it goes on at the next comma or clause, so that several errors
/// are told at once.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Levels of an expression; chains of AND and OR have hardly any, those of + one a link.</summary>
    private const int DepthMax = 400;

    /// <summary>Levels of parentheses, CASE and calls within one another.</summary>
    private const int NestingMax = 60;

    private readonly List<Token> _tokens;
    private readonly Diagnostics _diagnostics;
    private int _at;
    private int _lastErrorAt = -1;
    private int _nesting;

    public Parser(List<Token> tokens, Diagnostics diagnostics)
    {
        _tokens = tokens;
        _diagnostics = diagnostics;
    }

    private Token Current => _tokens[_at];

    private Token Following => _tokens[Math.Min(_at + 1, _tokens.Count - 1)];

    private TextSpan Here => new(Current.Start, Current.Length);

    private TextSpan Since(TextSpan start)
    {
        var previous = _at == 0 ? Current : _tokens[_at - 1];
        return new TextSpan(start.Start, Math.Max(0, previous.End - start.Start));
    }

    private Token Take()
    {
        var token = Current;
        if (token.Kind != TokenKind.End) _at++;
        return token;
    }

    private bool TryTakeWord(string keyword)
    {
        if (!Current.IsWord(keyword)) return false;
        Take();
        return true;
    }

    private bool TryTakeSymbol(string symbol)
    {
        if (!Current.IsSymbol(symbol)) return false;
        Take();
        return true;
    }

    private bool ExpectWord(string keyword)
    {
        if (TryTakeWord(keyword)) return true;
        Unexpected(keyword);
        return false;
    }

    private bool ExpectSymbol(string symbol)
    {
        if (TryTakeSymbol(symbol)) return true;
        Unexpected($"'{symbol}'");
        return false;
    }

    /// <summary>Tells what was found and what would fit; once a place.</summary>
    private void Unexpected(string wanted) =>
        Report(SaqlErrors.Unexpected, Here, $"Found {Current.Shown}; expected {wanted}.");

    private void Report(ErrorDefinition error, TextSpan place, string message)
    {
        if (_lastErrorAt == _at && error == SaqlErrors.Unexpected) return;
        _lastErrorAt = _at;
        _diagnostics.Add(error, place, message);
    }

    /// <summary>A SELECT where none can stand: tells what to write instead, and passes over it.</summary>
    private void RefuseSelect(string where, string instead)
    {
        Report(SaqlErrors.NotInLanguage, Here, $"A SELECT cannot stand {where}; {instead}.");
        for (var depth = 0; Current.Kind != TokenKind.End && !Current.IsSymbol(";"); Take())
        {
            if (Current.IsSymbol("(")) depth++;
            else if (Current.IsSymbol(")") && --depth < 0) return;
        }
    }

    /// <summary>
    /// Passes over the rest of a broken item: to the next comma or clause at this level of parentheses.
    /// </summary>
    private void SkipItem(bool stopAtComma = true)
    {
        var depth = 0;
        while (Current.Kind != TokenKind.End)
        {
            if (Current.IsSymbol("(")) depth++;
            else if (Current.IsSymbol(")") && --depth < 0) return;
            else if (depth == 0 && ((stopAtComma && Current.IsSymbol(",")) || AtClause)) return;
            Take();
        }
    }

    private bool AtClause =>
        Current.Kind == TokenKind.End || Current.IsSymbol(";") ||
        (Current.Kind == TokenKind.Name && Words.StartsClause(Current.Text)) || AtSetOperation;

    private bool AtBareName => Current.Kind == TokenKind.QuotedName ||
        (Current.Kind == TokenKind.Name && !Words.IsReserved(Current.Text));

    /// <summary>A name that stands alone, such as an alias; null (and told) when there is none.</summary>
    private Token? TakeName(string wanted)
    {
        if (AtBareName) return Take();
        var hint = Current.Kind == TokenKind.Name
            ? $" ({Current.Text} is a word of the language; write [{Current.Text}])" : "";
        Unexpected(wanted + hint);
        return null;
    }
}
