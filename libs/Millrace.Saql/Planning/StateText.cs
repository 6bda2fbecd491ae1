using System.Text;
using Millrace.Saql.Lexing;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Planning;

/// <summary>
/// A query's text as far as its state depends on it: without the numbers and texts that stand beside a comparison, or
/// as a column, in SELECT, WHERE and HAVING, and in no function, join or window. Two versions of one such text keep
/// the same.
/// </summary>
internal static class StateText
{
    private const string Free = "?";

    private static readonly string[] Comparisons = ["=", "<>", "!=", "<", ">", "<=", ">=", "!<", "!>"];

    /// <summary>What begins a part of a SELECT whose literals are free, and what ends it.</summary>
    private static readonly string[] Opens = ["SELECT", "WHERE", "HAVING"];
    private static readonly string[] Closes =
        ["FROM", "JOIN", "ON", "GROUP", "TIMESTAMP", "PARTITION", "APPLY", "MATCH_RECOGNIZE", "WITH", "INTO"];

    /// <summary>A parenthesis behind these is no call.</summary>
    private static readonly string[] NoCalls =
    [
        "SELECT", "WHERE", "HAVING", "AND", "OR", "NOT", "IN", "CASE", "WHEN", "THEN", "ELSE", "AS", "UNION", "BETWEEN",
    ];

    public static string Of(string text)
    {
        var tokens = new Lexer(text, new Diagnostics(text)).Read();
        var kept = new StringBuilder();
        var calls = new Stack<bool>();
        var isOpen = false;
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (token.IsSymbol("(")) calls.Push(i > 0 && tokens[i - 1].IsAnyName && !IsOneOf(tokens[i - 1], NoCalls));
            else if (token.IsSymbol(")")) calls.TryPop(out _);
            else if (IsOneOf(token, Opens)) isOpen = true;
            else if (IsOneOf(token, Closes)) isOpen = false;
            kept.Append(isOpen && !calls.Contains(true) && IsFree(tokens, i) ? Free : Shown(token)).Append(' ');
        }

        return kept.ToString();
    }

    private static bool IsFree(List<Token> tokens, int at)
    {
        if (tokens[at].Kind is not (TokenKind.Text or TokenKind.Integer or TokenKind.Fraction)) return false;
        var (before, after) = (tokens[Math.Max(0, at - 1)], tokens[Math.Min(tokens.Count - 1, at + 1)]);
        var isColumn = after.IsWord("AS") && (before.IsSymbol(",") || before.IsWord("SELECT"));
        return isColumn || IsComparison(before) || IsComparison(after);
    }

    private static bool IsComparison(Token token) =>
        token.Kind == TokenKind.Symbol && Array.IndexOf(Comparisons, token.Text) >= 0;

    private static bool IsOneOf(Token token, string[] words) => Array.Exists(words, token.IsWord);

    private static string Shown(Token token) => token.Kind switch
    {
        TokenKind.Text => $"'{token.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        TokenKind.QuotedName => $"[{token.Text.Replace("]", "]]", StringComparison.Ordinal)}]",
        _ => token.Text,
    };
}
