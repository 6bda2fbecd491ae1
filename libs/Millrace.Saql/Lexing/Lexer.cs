using System.Text;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Lexing;

/// <summary>Cuts a query's text into tokens. What it cannot read it reports and passes over.</summary>
internal sealed class Lexer(string text, Diagnostics diagnostics)
{
    private static readonly string[] TwoCharacterSymbols = ["<>", "<=", ">=", "!=", "!<", "!>"];
    private const string OneCharacterSymbols = "+-*/%=<>&|^~(),.;?{}";

    private readonly List<Token> _tokens = [];
    private int _at;

    public List<Token> Read()
    {
        while (SkipBlanks())
        {
            var start = _at;
            var token = ReadToken();
            if (token.Kind == TokenKind.Bad) continue;
            _tokens.Add(token with { Start = start, Length = _at - start });
        }

        // The end stands right behind the last word, where something is missing; not on the empty line below it.
        _tokens.Add(new Token(TokenKind.End, _tokens.Count == 0 ? 0 : _tokens[^1].End, 0, ""));
        return _tokens;
    }

    private char Current => _at < text.Length ? text[_at] : '\0';

    private char Next => _at + 1 < text.Length ? text[_at + 1] : '\0';

    /// <summary>False at the end of the text.</summary>
    private bool SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(Current) || Current == '\uFEFF') _at++;
            else if (Current == '-' && Next == '-') SkipLine();
            else if (Current == '/' && Next == '*') SkipComment();
            else return true;
        }

        return false;
    }

    private void SkipLine()
    {
        var end = text.IndexOf('\n', _at);
        _at = end < 0 ? text.Length : end + 1;
    }

    private void SkipComment()
    {
        var end = text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            diagnostics.Add(SaqlErrors.BadToken, _at, 2, "This comment is not closed; it needs */ at its end.");
            _at = text.Length;
            return;
        }

        _at = end + 2;
    }

    private Token ReadToken()
    {
        if (char.IsAsciiDigit(Current) || (Current == '.' && char.IsAsciiDigit(Next))) return ReadNumber();
        if (Current is 'N' or 'n' && Next == '\'')
        {
            _at++;
            return ReadQuoted('\'', '\'', TokenKind.Text);
        }

        if (IsNameStart(Current, Next)) return ReadName();
        return Current switch
        {
            '\'' => ReadQuoted('\'', '\'', TokenKind.Text),
            '[' => ReadQuoted('[', ']', TokenKind.QuotedName),
            '"' => ReadQuoted('"', '"', TokenKind.QuotedName),
            _ => ReadSymbol(),
        };
    }

    private Token ReadName()
    {
        var start = _at;
        while (IsNamePart(Current)) _at++;
        return new Token(TokenKind.Name, 0, 0, text[start.._at]);
    }

    private Token ReadNumber()
    {
        var start = _at;
        var kind = TokenKind.Integer;
        while (char.IsAsciiDigit(Current)) _at++;
        if (Current == '.')
        {
            kind = TokenKind.Fraction;
            _at++;
            while (char.IsAsciiDigit(Current)) _at++;
        }

        if (Current is 'e' or 'E')
        {
            var sign = Next is '+' or '-' ? 1 : 0;
            if (_at + 1 + sign < text.Length && char.IsAsciiDigit(text[_at + 1 + sign]))
            {
                kind = TokenKind.Fraction;
                _at += 2 + sign;
                while (char.IsAsciiDigit(Current)) _at++;
            }
        }

        if (!IsNamePart(Current)) return new Token(kind, 0, 0, text[start.._at]);
        while (IsNamePart(Current)) _at++;
        diagnostics.Add(SaqlErrors.BadToken, start, _at - start,
            $"'{text[start.._at]}' is neither a number nor a name; a name that begins with a digit needs [brackets].");
        return new Token(TokenKind.Name, 0, 0, text[start.._at]);
    }

    private Token ReadQuoted(char open, char close, TokenKind kind)
    {
        var start = _at++;
        var content = new StringBuilder();
        while (_at < text.Length)
        {
            if (Current != close) content.Append(text[_at++]);
            else if (Next == close)
            {
                content.Append(close);
                _at += 2;
            }
            else
            {
                _at++;
                if (kind == TokenKind.QuotedName && content.Length == 0)
                    diagnostics.Add(SaqlErrors.BadToken, start, 2, "A name cannot be empty.");
                return new Token(kind, 0, 0, content.ToString());
            }
        }

        diagnostics.Add(SaqlErrors.BadToken, start, 1, $"This {open} has no closing {close}.");
        return new Token(kind, 0, 0, content.ToString());
    }

    private Token ReadSymbol()
    {
        foreach (var symbol in TwoCharacterSymbols)
        {
            if (Current != symbol[0] || Next != symbol[1]) continue;
            _at += 2;
            return new Token(TokenKind.Symbol, 0, 0, symbol);
        }

        var character = text[_at++];
        if (OneCharacterSymbols.Contains(character)) return new Token(TokenKind.Symbol, 0, 0, character.ToString());
        if (char.IsHighSurrogate(character) && char.IsLowSurrogate(Current)) _at++;
        diagnostics.Add(SaqlErrors.BadToken, _at - 1, 1, $"The character {Shown(character)} has no meaning here.");
        return new Token(TokenKind.Bad, 0, 0, "");
    }

    private static string Shown(char character) =>
        char.IsControl(character) || char.IsSurrogate(character) ? $"U+{(int)character:X4}" : $"'{character}'";

    /// <summary>The marks of T-SQL's variables and temporary names begin a name, and are none alone.</summary>
    private static bool IsNameStart(char character, char next) =>
        char.IsLetter(character) || character is '_' || (character is '@' or '#' && IsNamePart(next));

    private static bool IsNamePart(char character) =>
        char.IsLetterOrDigit(character) || character is '_' or '@' or '#' or '$';
}
