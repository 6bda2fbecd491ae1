using System.Text;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb;

/// <summary>The text of the view <c>telemetry</c> over the files of one table version.</summary>
internal static class TelemetryView
{
    public const string Name = "telemetry";

    /// <summary>
    /// Text of a body that says it is text, or says nothing, and is UTF-8: what is compressed or binary has none.
    /// </summary>
    private const string BodyText =
        "CASE WHEN (content_type IS NULL OR regexp_matches(lower(content_type), "
        + "'^(text/|application/(.*\\+)?(json|xml|x-ndjson|ndjson|yaml|javascript|x-www-form-urlencoded))')) "
        + "AND (content_encoding IS NULL OR lower(content_encoding) IN ('', 'utf-8', 'utf8', 'identity', 'us-ascii')) "
        + "THEN TRY(decode(body)) END AS body_text";

    /// <param name="schema">The table's columns, or the archive's own when there is no table yet.</param>
    public static string CreateSql(
        DeltaSchema schema, IReadOnlyList<AddFile> files, Func<AddFile, string> pathOf)
    {
        // Files lack the columns that were promoted after them; those that have the same ones are read together.
        var sources = files.GroupBy(file => ColumnsIn(file, schema))
            .Select(group => SelectFrom(schema, group.Key, group, pathOf));
        var source = files.Count == 0 ? Empty(schema) : string.Join(" UNION ALL ", sources);
        return $"CREATE VIEW {Name} AS SELECT *, {BodyText} FROM ({source})";
    }

    /// <summary>Where the file lies; the engine reads local files.</summary>
    public static string PathOf(IObjectStore store, DeltaTable table, AddFile file)
    {
        var key = table.KeyOf(file);
        return store.LocalPath(key)
            ?? throw new NotSupportedException($"DuckDB reads local files, and {key} is not one.");
    }

    /// <summary>Text as an SQL literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The names that the file has, as one text; a file without statistics is taken to have all.</summary>
    private static string ColumnsIn(AddFile file, DeltaSchema schema) => string.Join('\n', schema.Columns
        .Where(column => file.Stats is null || IsPartition(column) || file.Stats.Find(column.Name) is not null)
        .Select(column => column.Name));

    private static bool IsPartition(DeltaColumn column) => TelemetryTable.PartitionColumns.Contains(column.Name);

    private static string SelectFrom(
        DeltaSchema schema, string present, IEnumerable<AddFile> files, Func<AddFile, string> pathOf)
    {
        var names = present.Split('\n').ToHashSet();
        var columns = Ordered(schema)
            .Select(column => names.Contains(column.Name) ? Quoted(column.Name) : Null(column));
        var sql = new StringBuilder().Append("SELECT ").AppendJoin(", ", columns).Append(" FROM read_parquet([");
        sql.AppendJoin(", ", files.OrderBy(file => file.Path, StringComparer.Ordinal).Select(f => Literal(pathOf(f))));
        return sql.Append("], hive_partitioning = true, hive_types = {'date': DATE, 'hour': INTEGER})").ToString();
    }

    private static string Empty(DeltaSchema schema) =>
        $"SELECT {string.Join(", ", Ordered(schema).Select(Null))} WHERE false";

    /// <summary>Promoted columns come before the partition's, which nobody looks for first.</summary>
    private static IEnumerable<DeltaColumn> Ordered(DeltaSchema schema) =>
        schema.Columns.OrderBy(IsPartition);

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
