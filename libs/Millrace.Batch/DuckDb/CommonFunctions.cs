namespace Millrace.Batch.DuckDb;

/// <summary>
/// Functions of the dialect that DuckDB has under another name or not at all, under the names that Spark has for them.
/// </summary>
internal static class CommonFunctions
{
    public const string Sql = """
        CREATE MACRO get_json_object(json, path) AS
          CASE WHEN json_valid(json) THEN json_extract_string(json, path) END;
        CREATE MACRO unix_micros(t) AS epoch_us(CAST(t AS TIMESTAMPTZ));
        CREATE MACRO unix_millis(t) AS epoch_ms(CAST(t AS TIMESTAMPTZ));
        CREATE MACRO unix_seconds(t) AS CAST(floor(epoch_us(CAST(t AS TIMESTAMPTZ)) / 1000000) AS BIGINT);
        CREATE MACRO timestamp_micros(n) AS make_timestamptz(CAST(n AS BIGINT));
        CREATE MACRO timestamp_millis(n) AS make_timestamptz(CAST(n AS BIGINT) * 1000);
        CREATE MACRO timestamp_seconds(n) AS make_timestamptz(CAST(CAST(n AS DOUBLE) * 1000000 AS BIGINT));
        CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern);
        CREATE MACRO percentile(value, share) AS quantile_cont(value, share);
        """;
}
