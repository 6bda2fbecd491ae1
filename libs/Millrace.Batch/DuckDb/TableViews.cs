using System.Text;
using Millrace.Batch.Tables;
using Millrace.Delta.Schema;

namespace Millrace.Batch.DuckDb;

/// <summary>The text of a view over the files of one version of a table.</summary>
internal static class TableViews
{
    /// <summary>
    /// Text of a body that says it is text, or says nothing, and is UTF-8: what is compressed or binary has none.
    /// </summary>
    private const string BodyText =
        "CASE WHEN (content_type IS NULL OR regexp_matches(lower(content_type), "
        + "'^(text/|application/(.*\\+)?(json|xml|x-ndjson|ndjson|yaml|javascript|x-www-form-urlencoded))')) "
        + "AND (content_encoding IS NULL OR lower(content_encoding) IN ('', 'utf-8', 'utf8', 'identity', 'us-ascii')) "
        + "THEN TRY(decode(body)) END AS body_text";

    /// <param name="columnsOf">The columns of files, by path, of which the table's log does not say it.</param>
    public static string CreateSql(
        OpenTable table, IReadOnlyList<FileSource> sources, ILookup<string, string> columnsOf)
    {
        // Files lack the columns that were added after them; those that have the same ones are read together.
        var parts = sources.GroupBy(source => ColumnsIn(source, table, columnsOf[source.Paths[0]]))
            .Select(group => SelectFrom(table, group.Key, group));
        var all = sources.Count == 0 ? Empty(table) : string.Join(" UNION ALL ", parts);
        var extra = table.IsTelemetry ? $", {BodyText}" : "";
        return $"CREATE VIEW {Quoted(table.Name)} AS SELECT *{extra} FROM ({all})";
    }

    /// <summary>Text as an SQL literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The names that the file has, as one text.</summary>
    private static string ColumnsIn(FileSource source, OpenTable table, IEnumerable<string> seen)
    {
        var names = (source.File.Stats?.Columns.Select(column => column.Column) ?? []).Concat(seen).ToHashSet();
        return string.Join('\n', table.Schema.Columns
            .Where(column => table.IsPartition(column) || names.Contains(column.Name)).Select(column => column.Name));
    }

    private static string SelectFrom(OpenTable table, string present, IEnumerable<FileSource> sources)
    {
        var names = present.Split('\n').ToHashSet();
        var columns = table.Columns
            .Select(column => names.Contains(column.Name) ? Quoted(column.Name) : Null(column));
        var sql = new StringBuilder().Append("SELECT ").AppendJoin(", ", columns).Append(" FROM read_parquet([");
        sql.AppendJoin(", ", sources.OrderBy(source => source.File.Path, StringComparer.Ordinal)
            .SelectMany(source => source.Paths).Select(Literal));
        sql.Append(']');
        var folders = table.Schema.Columns.Where(table.IsPartition)
            .Select(column => $"{Literal(column.Name)}: {SqlType(column.Type)}").ToList();
        if (folders.Count > 0)
            sql.Append(", hive_partitioning = true, hive_types = {").AppendJoin(", ", folders).Append('}');
        else sql.Append(", hive_partitioning = false");
        return sql.Append(')').ToString();
    }

    private static string Empty(OpenTable table) =>
        $"SELECT {string.Join(", ", table.Columns.Select(Null))} WHERE false";

    private static string Null(DeltaColumn column) => $"CAST(NULL AS {SqlType(column.Type)}) AS {Quoted(column.Name)}";

    private static string SqlType(DeltaType type) => type switch
    {
        DeltaType.String => "VARCHAR",
        DeltaType.Long => "BIGINT",
        DeltaType.Integer => "INTEGER",
        DeltaType.Double => "DOUBLE",
        DeltaType.Boolean => "BOOLEAN",
        DeltaType.Binary => "BLOB",
        DeltaType.Date => "DATE",
        DeltaType.Timestamp => "TIMESTAMP WITH TIME ZONE",
        DeltaType.StringMap => "MAP(VARCHAR, VARCHAR)",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
