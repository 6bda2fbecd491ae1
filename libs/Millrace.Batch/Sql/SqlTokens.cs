namespace Millrace.Batch.Sql;

internal enum SqlTokenKind
{
    /// <summary>A name or a keyword, as written.</summary>
    Word,

    /// <summary>A name in double quotes.</summary>
    QuotedName,

    /// <summary>Text in single quotes.</summary>
    Text,

    /// <summary><c>$name</c>.</summary>
    Parameter,

    /// <summary>Blanks and comments.</summary>
    Space,

    /// <summary>Numbers and signs, as written.</summary>
    Other,
}

/// <param name="Value">The value of a text or name without its quotes, a parameter without its sign.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Value)
{
    /// <summary>The name that it is, quoted or not; else null.</summary>
    public string? Name => Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName ? Value : null;
}

/// <summary>
/// Cuts a statement into its words, as far as both engines agree on them: where text, quoted names and comments begin
/// and end. What nobody closes reaches to the end; an engine's parser tells of it.
/// </summary>
internal static class SqlTokens
{
    public static IEnumerable<SqlToken> Of(string sql)
    {
        for (var at = 0; at < sql.Length;)
        {
            var (token, end) = Next(sql, at);
            yield return token;
            at = end;
        }
    }

    /// <summary>The statement without the semicolons and comments behind it.</summary>
    public static string WithoutEnd(string sql)
    {
        var end = 0;
        for (var at = 0; at < sql.Length;)
        {
            (var token, at) = Next(sql, at);
            if (token.Kind != SqlTokenKind.Space && token is not { Kind: SqlTokenKind.Other, Value: ";" }) end = at;
        }

        return sql[..end];
    }

    private static (SqlToken Token, int End) Next(string sql, int at)
    {
        var c = sql[at];
        var next = at + 1 < sql.Length ? sql[at + 1] : '\0';
        if (c == '\'') return Quoted(sql, at, SqlTokenKind.Text);
        if (c == '"') return Quoted(sql, at, SqlTokenKind.QuotedName);
        if (c == '-' && next == '-') return Space(EndOfLine(sql, at));
        if (c == '/' && next == '*') return Space(EndOfComment(sql, at));
        if (char.IsWhiteSpace(c)) return Space(End(sql, at, char.IsWhiteSpace));
        if (c == '$' && IsWordStart(next))
        {
            var end = End(sql, at + 1, IsWordPart);
            return (new SqlToken(SqlTokenKind.Parameter, sql[(at + 1)..end]), end);
        }

        if (IsWordStart(c))
        {
            var end = End(sql, at, IsWordPart);
            return (new SqlToken(SqlTokenKind.Word, sql[at..end]), end);
        }

        // A number with its letters, so that the e of 1e5 is no word.
        var numberEnd = char.IsAsciiDigit(c) ? End(sql, at, IsWordPart) : at + 1;
        return (new SqlToken(SqlTokenKind.Other, sql[at..numberEnd]), numberEnd);
    }

    private static (SqlToken, int) Space(int end) => (new SqlToken(SqlTokenKind.Space, " "), end);

    private static (SqlToken, int) Quoted(string sql, int start, SqlTokenKind kind)
    {
        var quote = sql[start];
        var at = start + 1;
        while (at < sql.Length)
        {
            if (sql[at] != quote) at++;
            else if (at + 1 < sql.Length && sql[at + 1] == quote) at += 2;
            else break;
        }

        var value = sql[(start + 1)..Math.Min(at, sql.Length)]
            .Replace(new string(quote, 2), quote.ToString(), StringComparison.Ordinal);
        return (new SqlToken(kind, value), Math.Min(at + 1, sql.Length));
    }

    private static int EndOfLine(string sql, int at)
    {
        var end = sql.IndexOf('\n', at);
        return end < 0 ? sql.Length : end;
    }

    /// <summary>Comments nest.</summary>
    private static int EndOfComment(string sql, int at)
    {
        var depth = 0;
        while (at + 1 < sql.Length)
        {
            if (sql[at] == '/' && sql[at + 1] == '*') (depth, at) = (depth + 1, at + 2);
            else if (sql[at] == '*' && sql[at + 1] == '/') (depth, at) = (depth - 1, at + 2);
            else at++;
            if (depth == 0) return at;
        }

        return sql.Length;
    }

    private static int End(string sql, int at, Func<char, bool> belongs)
    {
        while (at < sql.Length && belongs(sql[at])) at++;
        return at;
    }

    private static bool IsWordStart(char c) => char.IsLetter(c) || c == '_';

    private static bool IsWordPart(char c) => char.IsLetterOrDigit(c) || c == '_';
}
