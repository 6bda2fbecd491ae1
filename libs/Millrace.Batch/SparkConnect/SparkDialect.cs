using System.Text;
using Millrace.Batch.Sql;

namespace Millrace.Batch.SparkConnect;

/// <summary>Writes a statement of the dialect as Spark reads it: quotes, parameters and type names differ.</summary>
internal static class SparkDialect
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["VARCHAR"] = "STRING",
        ["TEXT"] = "STRING",
        ["BLOB"] = "BINARY",
        ["TIMESTAMPTZ"] = "TIMESTAMP",
    };

    /// <summary>Functions that call any program of the server's; nobody sets them up, they are just there.</summary>
    private static readonly HashSet<string> Refused =
        new(StringComparer.OrdinalIgnoreCase) { "reflect", "try_reflect", "java_method" };

    /// <summary>The text in Spark's SQL; BA-0001 when it names what is not to be had.</summary>
    public static string Translate(string sql, string parameterPrefix)
    {
        var tokens = SqlTokens.Of(sql).ToList();
        if (tokens.Select(token => token.Name).FirstOrDefault(name => name is not null && Refused.Contains(name))
            is { } refused)
        {
            throw BatchErrors.Refused.With(SqlShown.Shortened(sql), $"The function {refused} is not allowed.")
                .AsException();
        }

        var end = tokens.Count;
        while (end > 0 && (tokens[end - 1].Kind == SqlTokenKind.Space || tokens[end - 1].Value == ";")) end--;
        var text = new StringBuilder(sql.Length);
        var casts = CastTypes(tokens);
        for (var at = 0; at < end; at++)
        {
            var token = tokens[at];
            text.Append(token.Kind switch
            {
                SqlTokenKind.Text => Literal(token.Value),
                SqlTokenKind.QuotedName => Name(token.Value),
                SqlTokenKind.Parameter => $":{parameterPrefix}{token.Value}",
                SqlTokenKind.Word when casts.Contains(at) => Types[token.Value],
                _ => token.Value,
            });
        }

        return text.ToString();
    }

    /// <summary>Text as a literal: in Spark's a backslash begins an escape.</summary>
    public static string Literal(string text) => $"'{text
        .Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}'";

    /// <summary>The server parses the names of views; it takes those that are words as they are.</summary>
    public static string ViewName(string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !char.IsAsciiDigit(name[0]) ? name : Name(name);

    public static string Name(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <summary>
    /// Where the words are types: behind <c>::</c>, or behind AS within the brackets of a cast. Elsewhere AS
    /// gives a name.
    /// </summary>
    private static HashSet<int> CastTypes(List<SqlToken> tokens)
    {
        var types = new HashSet<int>();
        var brackets = new Stack<bool>();
        var (before, last) = (default(SqlToken), default(SqlToken));
        for (var at = 0; at < tokens.Count; at++)
        {
            var token = tokens[at];
            if (token.Kind == SqlTokenKind.Space) continue;
            if (IsSign(token, "(")) brackets.Push(IsWord(last, "CAST") || IsWord(last, "TRY_CAST"));
            else if (IsSign(token, ")")) brackets.TryPop(out _);
            var isType = (IsSign(before, ":") && IsSign(last, ":"))
                || (IsWord(last, "AS") && brackets.TryPeek(out var isCast) && isCast);
            if (isType && token.Kind == SqlTokenKind.Word && Types.ContainsKey(token.Value)) types.Add(at);
            (before, last) = (last, token);
        }

        return types;
    }

    private static bool IsSign(SqlToken token, string sign) =>
        token.Kind == SqlTokenKind.Other && token.Value == sign;

    private static bool IsWord(SqlToken token, string word) =>
        token.Kind == SqlTokenKind.Word && word.Equals(token.Value, StringComparison.OrdinalIgnoreCase);
}
