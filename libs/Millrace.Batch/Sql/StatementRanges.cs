using System.Globalization;
using System.Text.Json;
using Millrace.Delta.Pruning;
using Millrace.Delta.Schema;

namespace Millrace.Batch.Sql;

/// <summary>
/// Which values of which columns a statement asks a table for, read from DuckDB's syntax tree, so that files outside
/// are not even opened. Takes only what is certain: comparisons of a column with a constant or a parameter, all of
/// which must hold, where the table is read once. The engine applies the whole condition in any case.
/// </summary>
internal static class StatementRanges
{
    /// <param name="statements">What json_serialize_sql gives.</param>
    public static IReadOnlyList<ColumnRange> Of(
        JsonElement statements, string table, DeltaSchema schema, IReadOnlyDictionary<string, object?>? parameters)
    {
        var readers = new List<JsonElement>();
        if (CountReads(statements, table, readers) != 1 || readers.Count != 1) return [];
        if (!readers[0].TryGetProperty("where_clause", out var where)) return [];

        // Columns that got other names by the alias are not those of the schema.
        var from = readers[0].GetProperty("from_table");
        if (from.TryGetProperty("column_name_alias", out var renamed) && renamed.GetArrayLength() > 0) return [];
        var alias = from.TryGetProperty("alias", out var given) ? given.GetString() : null;
        var ranges = new List<ColumnRange>();
        Collect(where, new Scope(string.IsNullOrEmpty(alias) ? table : alias, schema, parameters), ranges);
        return ranges;
    }

    /// <summary>How often the table is named anywhere, and the SELECTs that read from it alone.</summary>
    private static int CountReads(JsonElement node, string table, List<JsonElement> readers)
    {
        switch (node.ValueKind)
        {
            case JsonValueKind.Object:
                if (Is(node, "type", "SELECT_NODE") && node.TryGetProperty("from_table", out var from)
                    && IsTable(from, table)) readers.Add(node);
                return (IsTable(node, table) ? 1 : 0)
                    + node.EnumerateObject().Sum(member => CountReads(member.Value, table, readers));
            case JsonValueKind.Array:
                return node.EnumerateArray().Sum(item => CountReads(item, table, readers));
            default:
                return 0;
        }
    }

    private static bool IsTable(JsonElement node, string table) =>
        Is(node, "type", "BASE_TABLE") && node.TryGetProperty("table_name", out var name)
        && string.Equals(name.GetString(), table, StringComparison.OrdinalIgnoreCase);

    private static void Collect(JsonElement condition, Scope scope, List<ColumnRange> ranges)
    {
        if (condition.ValueKind != JsonValueKind.Object) return;
        if (Is(condition, "type", "CONJUNCTION_AND"))
        {
            foreach (var child in condition.GetProperty("children").EnumerateArray()) Collect(child, scope, ranges);
        }
        else if (Is(condition, "class", "BETWEEN"))
        {
            Add(condition.GetProperty("input"), condition.GetProperty("lower"), Side.From, scope, ranges);
            Add(condition.GetProperty("input"), condition.GetProperty("upper"), Side.To, scope, ranges);
        }
        else if (Is(condition, "class", "COMPARISON") && SideOf(condition.GetProperty("type").GetString()) is { } side)
        {
            var left = condition.GetProperty("left");
            var right = condition.GetProperty("right");
            if (!Add(left, right, side, scope, ranges)) Add(right, left, Mirrored(side), scope, ranges);
        }
        else if (Is(condition, "type", "COMPARE_IN"))
        {
            AddOneOf([.. condition.GetProperty("children").EnumerateArray()], scope, ranges);
        }
    }

    private static Side? SideOf(string? comparison) => comparison switch
    {
        "COMPARE_EQUAL" => Side.Both,
        "COMPARE_GREATERTHAN" or "COMPARE_GREATERTHANOREQUALTO" => Side.From,
        "COMPARE_LESSTHAN" or "COMPARE_LESSTHANOREQUALTO" => Side.To,
        _ => null,
    };

    private static Side Mirrored(Side side) => side switch { Side.From => Side.To, Side.To => Side.From, _ => side };

    private static bool Add(JsonElement column, JsonElement value, Side side, Scope scope, List<ColumnRange> ranges)
    {
        if (!Is(column, "class", "COLUMN_REF") || !column.TryGetProperty("column_names", out var names)) return false;
        if (scope.Find(names) is not { } known) return false;
        if (ValueOf(value, known.Type, scope) is not { } bound) return false;
        ranges.Add(new ColumnRange(known.Name, side == Side.To ? null : bound, side == Side.From ? null : bound));
        return true;
    }

    /// <summary>One of several values lies between the least and the greatest of them.</summary>
    private static void AddOneOf(JsonElement[] children, Scope scope, List<ColumnRange> ranges)
    {
        if (!Is(children[0], "class", "COLUMN_REF") || !children[0].TryGetProperty("column_names", out var names)
            || scope.Find(names) is not { } known) return;
        var values = children.Skip(1).Select(child => ValueOf(child, known.Type, scope)).ToList();
        if (values.Count == 0 || values.Any(value => value is null or double.NaN)) return;
        if (values.Select(value => value!.GetType()).Distinct().Count() > 1) return;
        var order = Comparer<object?>.Create((a, b) =>
            a is string text ? string.CompareOrdinal(text, (string)b!) : Comparer<object>.Default.Compare(a, b));
        ranges.Add(new ColumnRange(known.Name, values.Min(order), values.Max(order)));
    }

    private static object? ValueOf(JsonElement node, DeltaType type, Scope scope)
    {
        if (Is(node, "class", "CAST"))
        {
            var target = node.GetProperty("cast_type").GetProperty("id").GetString();
            return TextOf(node.GetProperty("child"), scope) is { } text ? FromText(text, type, target) : null;
        }

        if (Is(node, "class", "PARAMETER"))
        {
            var value = scope.Parameters?.GetValueOrDefault(node.GetProperty("identifier").GetString()!);
            return (type, value) switch
            {
                (DeltaType.Timestamp, DateTimeOffset time) => time,
                (DeltaType.Long or DeltaType.Integer or DeltaType.Double, long or double) => value,
                (_, string text) => FromText(text, type, castTo: null),
                _ => null,
            };
        }

        if (!Is(node, "class", "CONSTANT") || !node.TryGetProperty("value", out var constant)) return null;
        if (!constant.TryGetProperty("value", out var literal)) return null;
        return literal.ValueKind switch
        {
            JsonValueKind.String when Is(constant.GetProperty("type"), "id", "VARCHAR") =>
                FromText(literal.GetString()!, type, castTo: null),
            JsonValueKind.Number when type is DeltaType.Long or DeltaType.Integer or DeltaType.Double
                && constant.GetProperty("type").GetProperty("id").GetString() is "INTEGER" or "BIGINT"
                && literal.TryGetInt64(out var whole) => whole,
            _ => null,
        };
    }

    private static string? TextOf(JsonElement node, Scope scope)
    {
        if (Is(node, "class", "PARAMETER"))
            return scope.Parameters?.GetValueOrDefault(node.GetProperty("identifier").GetString()!) as string;
        return Is(node, "class", "CONSTANT") && node.TryGetProperty("value", out var constant)
            && constant.TryGetProperty("value", out var literal) && literal.ValueKind == JsonValueKind.String
            ? literal.GetString()
            : null;
    }

    /// <summary>Only forms that the engine reads as we do; a cast to a date cuts the time off.</summary>
    private static object? FromText(string text, DeltaType type, string? castTo)
    {
        const int dateLength = 10;
        if (type == DeltaType.String) return castTo is null or "VARCHAR" ? text : null;
        var isDate = DateOnly.TryParseExact(
            text.AsSpan(0, Math.Min(text.Length, dateLength)), "yyyy-MM-dd", CultureInfo.InvariantCulture,
            DateTimeStyles.None, out var date);
        if (!isDate || castTo is not (null or "DATE" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE")) return null;
        if (type == DeltaType.Date) return text.Length == dateLength ? date : null;
        if (type != DeltaType.Timestamp) return null;
        if (castTo == "DATE" || text.Length == dateLength)
            return new DateTimeOffset(date, TimeOnly.MinValue, TimeSpan.Zero);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    private static bool Is(JsonElement node, string name, string value) =>
        node.ValueKind == JsonValueKind.Object && node.TryGetProperty(name, out var member)
        && member.ValueKind == JsonValueKind.String && member.GetString() == value;

    private enum Side
    {
        Both,
        From,
        To,
    }

    /// <param name="Name">How the SELECT calls the table.</param>
    private sealed record Scope(string Name, DeltaSchema Schema, IReadOnlyDictionary<string, object?>? Parameters)
    {
        /// <summary>The column, unless its qualifier is something else, which may be a table around it.</summary>
        public DeltaColumn? Find(JsonElement names)
        {
            var count = names.GetArrayLength();
            if (count > 2 || (count == 2 && !Name.Equals(names[0].GetString(), StringComparison.OrdinalIgnoreCase)))
                return null;
            var name = names[count - 1].GetString();
            return Schema.Columns.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        }
    }
}
