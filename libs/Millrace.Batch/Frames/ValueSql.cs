using System.Globalization;

namespace Millrace.Batch.Frames;

/// <summary>Writes values of a row as SQL for DuckDB.</summary>
internal static class ValueSql
{
    public static string Of(Column column) => column.Node switch
    {
        NameNode name => Name(name.Name),
        LiteralNode literal => Literal(literal.Value),
        CallNode call => Call(call),
        ItemNode item => $"{Of(item.Map)}[{Of(item.Key)}]",
        AliasNode alias => $"{Of(alias.Value)} AS {Name(alias.Name)}",
        CastNode cast => $"{(cast.IsTry ? "TRY_CAST" : "CAST")}({Of(cast.Value)} AS {TypeName(cast.Type)})",
        WindowNode window => $"{Of(window.Function)} OVER ({Over(window.Window)})",
        var other => throw new ArgumentOutOfRangeException(nameof(column), other, null),
    };

    public static string Of(IReadOnlyList<SortKey> keys) => string.Join(", ", keys.Select(key =>
        $"{Of(key.Value)} {(key.IsDescending ? "DESC NULLS LAST" : "ASC NULLS FIRST")}"));

    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string TypeName(ColumnType type) => type switch
    {
        ColumnType.String => "VARCHAR",
        ColumnType.Integer => "INTEGER",
        ColumnType.Long => "BIGINT",
        ColumnType.Double => "DOUBLE",
        ColumnType.Boolean => "BOOLEAN",
        ColumnType.Date => "DATE",
        ColumnType.Timestamp => "TIMESTAMPTZ",
        ColumnType.Binary => "BLOB",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    private static string Literal(object? value) => value switch
    {
        null => "NULL",
        string text => Text(text),
        bool flag => flag ? "true" : "false",
        int or long => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        double.NaN => "CAST('NaN' AS DOUBLE)",
        double number when double.IsInfinity(number) => $"CAST('{(number > 0 ? "" : "-")}Infinity' AS DOUBLE)",
        double number => number.ToString("E16", CultureInfo.InvariantCulture),
        DateOnly date => $"DATE '{date:yyyy-MM-dd}'",
        DateTimeOffset time => $"TIMESTAMPTZ '{time.ToUniversalTime().ToString(
            "yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00'",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, null),
    };

    private static string Call(CallNode call)
    {
        var arguments = call.Arguments.Select(Of).ToList();
        return call.Function switch
        {
            "+" or "-" or "*" or "/" or "%" or "<" or ">" or "<=" or ">=" or "and" or "or" =>
                $"({arguments[0]} {call.Function} {arguments[1]})",
            "==" => $"({arguments[0]} = {arguments[1]})",
            "not" => $"(NOT {arguments[0]})",
            "isnull" => $"({arguments[0]} IS NULL)",
            "isnotnull" => $"({arguments[0]} IS NOT NULL)",
            "in" => $"({arguments[0]} IN ({string.Join(", ", arguments.Skip(1))}))",
            "when" => $"CASE WHEN {arguments[0]} THEN {arguments[1]} ELSE {arguments[2]} END",
            _ => $"{call.Function}({(call.IsDistinct ? "DISTINCT " : "")}{string.Join(", ", arguments)})",
        };
    }

    private static string Over(Window window)
    {
        var parts = new List<string>();
        if (window.Keys.Count > 0) parts.Add($"PARTITION BY {string.Join(", ", window.Keys.Select(Of))}");
        if (window.Order.Count > 0) parts.Add($"ORDER BY {Of(window.Order)}");
        if (window.Bounds is { } bounds)
        {
            parts.Add($"ROWS BETWEEN {Bound(bounds.From, "UNBOUNDED PRECEDING")} "
                + $"AND {Bound(bounds.To, "UNBOUNDED FOLLOWING")}");
        }

        return string.Join(' ', parts);
    }

    private static string Bound(int? rows, string none) => rows switch
    {
        null => none,
        0 => "CURRENT ROW",
        < 0 => $"{-rows} PRECEDING",
        _ => $"{rows} FOLLOWING",
    };
}
