namespace Millrace.Saql.Parsing;

/// <summary>The words that cannot be a bare name.</summary>
internal static class Words
{
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "INTO", "WITH", "AS", "UNION", "AND", "OR", "NOT", "NULL",
        "CASE", "WHEN", "THEN", "ELSE", "END", "IN", "IS", "LIKE", "BETWEEN", "ON", "JOIN", "INNER", "OUTER", "CROSS",
        "OVER", "ORDER", "ESCAPE", "CREATE", "DISTINCT", "MATCH_RECOGNIZE",
    };

    private static readonly HashSet<string> ClauseStarts = new(StringComparer.OrdinalIgnoreCase)
    {
        "SELECT", "INTO", "FROM", "WHERE", "GROUP", "HAVING", "UNION", "WITH",
    };

    public static bool IsReserved(string word) => Reserved.Contains(word);

    public static bool StartsClause(string word) => ClauseStarts.Contains(word);
}
