using System.Globalization;
using DuckDB.NET.Data;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>Which parts of its Parquet files a statement reads, from the engine's own plan of it.</summary>
internal static class NeededColumns
{
    /// <summary>By the path of the file.</summary>
    public static ILookup<string, ByteRange> Of(DuckDbSession session, BatchQuery query, IReadOnlyList<string> paths)
    {
        // A column that is read is named in the plan; one that is only named there costs some bytes and no more.
        var plan = Plan(session, query);
        var ranges = new List<(string Path, ByteRange Range)>();
        using var command = session.Command(MetadataSql(paths), null);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var column = reader.GetString(1);
            if (!plan.Contains(column.Split(',')[0].Trim(), StringComparison.OrdinalIgnoreCase)) continue;
            var from = Number(reader, 2) is > 0 and var dictionary && dictionary < Number(reader, 3)
                ? dictionary
                : Number(reader, 3);
            ranges.Add((reader.GetString(0), new ByteRange(from, from + Number(reader, 4))));
            if (Number(reader, 5) is > 0 and var filter)
                ranges.Add((reader.GetString(0), new ByteRange(filter, filter + Number(reader, 6))));
        }

        return ranges.ToLookup(pair => pair.Path, pair => pair.Range);
    }

    private static string Plan(DuckDbSession session, BatchQuery query)
    {
        using var command = session.Command($"EXPLAIN (FORMAT JSON) {query.Sql}", query.Parameters);
        using var reader = command.ExecuteReader();
        var text = "";
        while (reader.Read()) text += reader.GetString(1);
        return text;
    }

    private static string MetadataSql(IReadOnlyList<string> paths) =>
        "SELECT file_name, path_in_schema, coalesce(dictionary_page_offset, 0), data_page_offset, "
        + "total_compressed_size, coalesce(bloom_filter_offset, 0), coalesce(bloom_filter_length, 0) "
        + $"FROM parquet_metadata([{string.Join(", ", paths.Select(TableViews.Literal))}])";

    private static long Number(DuckDBDataReader reader, int column) =>
        Convert.ToInt64(reader.GetValue(column), CultureInfo.InvariantCulture);
}
