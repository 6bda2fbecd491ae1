using System.Text.Json;
using DuckDB.NET.Data;

namespace Millrace.Batch.Sql;

/// <summary>
/// The parser of the dialect, which is DuckDB's within this process: what it takes as one statement that only reads is
/// handed to an engine, and nothing else is. Safe for many threads.
/// </summary>
internal sealed class SqlParser : IDisposable
{
    private const int DepthMax = 1000;

    private readonly DuckDBConnection _connection = new("DataSource=:memory:");
    private readonly Lock _one = new();

    public SqlParser()
    {
        _connection.Open();
        using var command = _connection.CreateCommand();
        command.CommandText = "SET threads = 1; SET enable_external_access = false; SET lock_configuration = true";
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// The syntax tree of the text when it is one statement that only reads; else BA-0001 with where the parser
    /// stumbled, or BA-0003.
    /// </summary>
    public JsonDocument Parse(string sql)
    {
        lock (_one) return Parse(_connection, sql);
    }

    public void Dispose() => _connection.Dispose();

    private static JsonDocument Parse(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR";
        command.Parameters.Add(new DuckDBParameter("sql", sql));
        var options = new JsonDocumentOptions { MaxDepth = DepthMax };
        var tree = JsonDocument.Parse((string)command.ExecuteScalar()!, options);
        var root = tree.RootElement;
        if (root.GetProperty("error").GetBoolean())
        {
            var message = root.GetProperty("error_message").GetString();
            if (root.GetProperty("error_type").GetString() == "not implemented")
                throw BatchErrors.NotOneSelect.With(SqlShown.Shortened(sql)).AsException();
            var position = root.TryGetProperty("position", out var at) ? $" at character {at.GetString()}" : "";
            throw BatchErrors.Refused.With(SqlShown.Shortened(sql), $"{message}{position}.").AsException();
        }

        if (root.GetProperty("statements").GetArrayLength() != 1)
            throw BatchErrors.NotOneSelect.With(SqlShown.Shortened(sql)).AsException();
        return tree;
    }
}
