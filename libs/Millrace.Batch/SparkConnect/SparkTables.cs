using Millrace.Batch.SparkConnect.Protocol;
using Millrace.Batch.Tables;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// How Spark sees tables: it needs no library for them, because the list of files comes from our own reading of the
/// table's log, and Spark reads those files.
/// </summary>
internal sealed class SparkTables(IObjectStore store, SparkOptions options)
{
    /// <summary>The column body_text; the same rule as DuckDB's view has.</summary>
    private const string BodyText =
        "CASE WHEN (content_type IS NULL OR lower(content_type) RLIKE "
        + @"'^(text/|application/(.*\\+)?(json|xml|x-ndjson|ndjson|yaml|javascript|x-www-form-urlencoded))') "
        + "AND (content_encoding IS NULL OR lower(content_encoding) IN ('', 'utf-8', 'utf8', 'identity', 'us-ascii')) "
        + "THEN try_validate_utf8(CAST(body AS STRING)) END AS body_text";

    /// <summary>The table's rows; BA-0010 when these are too many files.</summary>
    public Relation RelationOf(OpenTable table, IReadOnlyList<AddFile> files)
    {
        if (files.Count > options.FilesMax)
        {
            throw BatchErrors.TooManyFiles.With(table.Name,
                $"{files.Count} files, and Spark:FilesMax is {options.FilesMax}.").AsException();
        }

        var schema = string.Join(", ",
            table.Columns.Select(column => $"{SparkDialect.Name(column.Name)} {TypeOf(column.Type)}"));
        var source = files.Count == 0
            ? SparkRelations.Empty(schema)
            : SparkRelations.Parquet(files.Select(file => AddressOf(table.KeyOf(file))), schema,
                AddressOf(table.Delta.Root));
        var project = new Project { Input = source };
        project.Expressions.Add(table.Columns.Select(column => SparkRelations.Text(SparkDialect.Name(column.Name))));
        if (table.IsTelemetry) project.Expressions.Add(SparkRelations.Text(BodyText));
        return new Relation { Project = project };
    }

    /// <summary>Where Spark finds the object; BA-0011 when nobody said.</summary>
    public string AddressOf(string key)
    {
        if (options.ArchiveRoot is { } root) return $"{root.TrimEnd('/')}/{key}";
        return store.LocalPath(key) is { } path
            ? $"file://{path}"
            : throw BatchErrors.NoAddress.With(key).AsException();
    }

    private static string TypeOf(DeltaType type) => type switch
    {
        DeltaType.String => "STRING",
        DeltaType.Long => "BIGINT",
        DeltaType.Integer => "INT",
        DeltaType.Double => "DOUBLE",
        DeltaType.Boolean => "BOOLEAN",
        DeltaType.Binary => "BINARY",
        DeltaType.Date => "DATE",
        DeltaType.Timestamp => "TIMESTAMP",
        DeltaType.StringMap => "MAP<STRING, STRING>",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
