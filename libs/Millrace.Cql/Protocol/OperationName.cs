namespace Millrace.Cql.Protocol;

/// <summary>
/// The first word of a statement, for metrics and spans; what is not known is OTHER, so that names stay few.
/// </summary>
internal static class OperationName
{
    public const string Other = "OTHER";

    private static readonly string[] Known =
    [
        "SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "CREATE", "ALTER", "DROP", "TRUNCATE", "USE", "GRANT",
        "REVOKE",
    ];

    public static string Of(string text)
    {
        var trimmed = text.AsSpan().TrimStart();
        foreach (var word in Known)
        {
            if (trimmed.StartsWith(word, StringComparison.OrdinalIgnoreCase)) return word;
        }

        return Other;
    }
}
