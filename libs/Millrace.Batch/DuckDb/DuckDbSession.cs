using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;

namespace Millrace.Batch.DuckDb;

/// <summary>
/// A database in memory for one statement, closed in: it reads the archive's folder and its own temporary one, knows no
/// extensions but those inside, and cannot be set otherwise. Calls block.
/// </summary>
internal sealed class DuckDbSession : IDisposable
{
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");

    private DuckDbSession(string tempFolder) => TempFolder = tempFolder;

    /// <summary>This statement's own folder, removed with it. The engine may write here.</summary>
    public string TempFolder { get; }

    public static DuckDbSession Open(DuckDbOptions options, string tempRoot, string readableFolder)
    {
        var session = new DuckDbSession(Path.Combine(tempRoot, Guid.NewGuid().ToString("N")));
        try
        {
            Directory.CreateDirectory(session.TempFolder);
            session._connection.Open();
            var threads = options.Threads > 0 ? options.Threads : Math.Max(1, Environment.ProcessorCount / 2);
            var archive = readableFolder.EndsWith('/') ? readableFolder : readableFolder + "/";
            session.Execute(string.Create(CultureInfo.InvariantCulture, $"""
                SET memory_limit = '{options.MemoryMax.Bytes}B';
                SET max_temp_directory_size = '{options.SpillMax.Bytes}B';
                SET threads = {threads};
                SET TimeZone = 'UTC';
                SET temp_directory = {TelemetryView.Literal(session.TempFolder)};
                SET autoinstall_known_extensions = false;
                SET autoload_known_extensions = false;
                SET allow_community_extensions = false;
                SET allowed_directories = [{TelemetryView.Literal(archive)}];
                SET enable_external_access = false;
                """));
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The engine's syntax tree of the text when it is one statement that only reads; else BA-0001 with where it
    /// stumbled, or BA-0003.
    /// </summary>
    public JsonDocument Parse(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR";
        command.Parameters.Add(new DuckDBParameter("sql", sql));
        var tree = JsonDocument.Parse((string)command.ExecuteScalar()!, new JsonDocumentOptions { MaxDepth = 1000 });
        var root = tree.RootElement;
        if (root.GetProperty("error").GetBoolean())
        {
            var message = root.GetProperty("error_message").GetString();
            if (root.GetProperty("error_type").GetString() == "not implemented")
                throw BatchErrors.NotOneSelect.With(Shortened(sql)).AsException();
            var position = root.TryGetProperty("position", out var at) ? $" at character {at.GetString()}" : "";
            throw BatchErrors.Refused.With(Shortened(sql), $"{message}{position}.").AsException();
        }

        if (root.GetProperty("statements").GetArrayLength() != 1)
            throw BatchErrors.NotOneSelect.With(Shortened(sql)).AsException();
        return tree;
    }

    public void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Nothing can be set from here on.</summary>
    public void Lock() => Execute("SET lock_configuration = true");

    public DuckDBCommand Command(string sql, IReadOnlyDictionary<string, object?>? parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        foreach (var (name, value) in parameters ?? new Dictionary<string, object?>())
            command.Parameters.Add(new DuckDBParameter(name, Checked(name, value)));
        return command;
    }

    public void Dispose()
    {
        _connection.Dispose();
        try
        {
            Directory.Delete(TempFolder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left over files are removed when the engine starts the next time.
        }
    }

    internal static string Shortened(string sql)
    {
        const int lengthMax = 200;
        return sql.Length <= lengthMax ? sql : sql[..lengthMax] + "...";
    }

    private static object? Checked(string name, object? value) => value switch
    {
        null or string or long or double or bool or DateTimeOffset => value,
        _ => throw BatchErrors.ParameterInvalid.With(name, value.GetType().Name).AsException(),
    };
}
