using System.Globalization;
using DuckDB.NET.Data;
using Millrace.Batch.Sql;

namespace Millrace.Batch.DuckDb;

/// <summary>
/// A database in memory for one statement, closed in: it reads the given folder and its own temporary one, knows no
/// extensions but those inside, and cannot be set otherwise. Calls block.
/// </summary>
internal sealed class DuckDbSession : IAsyncDisposable
{
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");

    private DuckDbSession(string tempFolder) => TempFolder = tempFolder;

    /// <summary>This statement's own folder, removed with it. The engine may write here.</summary>
    public string TempFolder { get; }

    public static DuckDbSession Open(BatchOptions options, string tempRoot, string readableFolder)
    {
        var session = new DuckDbSession(Path.Combine(tempRoot, Guid.NewGuid().ToString("N")));
        try
        {
            Directory.CreateDirectory(session.TempFolder);
            session._connection.Open();
            var threads = options.Threads > 0 ? options.Threads : Math.Max(1, Environment.ProcessorCount / 2);
            var readable = readableFolder.EndsWith('/') ? readableFolder : readableFolder + "/";
            session.Execute(string.Create(CultureInfo.InvariantCulture, $"""
                SET memory_limit = '{options.MemoryMax.Bytes}B';
                SET max_temp_directory_size = '{options.SpillMax.Bytes}B';
                SET threads = {threads};
                SET TimeZone = 'UTC';
                SET default_null_order = 'NULLS_FIRST_ON_ASC_LAST_ON_DESC';
                SET temp_directory = {TableViews.Literal(session.TempFolder)};
                SET autoinstall_known_extensions = false;
                SET autoload_known_extensions = false;
                SET allow_community_extensions = false;
                SET allowed_directories = [{TableViews.Literal(readable)}];
                SET enable_external_access = false;
                """));
            session.Execute(CommonFunctions.Sql);
            return session;
        }
        catch
        {
            session.Close();
            throw;
        }
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
            command.Parameters.Add(new DuckDBParameter(name, SqlParameters.Checked(name, value)));
        return command;
    }

    /// <summary>The names of the files' columns, by path, as their footers say.</summary>
    public ILookup<string, string> ColumnsOf(IReadOnlyList<string> paths)
    {
        var names = new List<(string Path, string Name)>();
        if (paths.Count > 0)
        {
            using var command = Command("SELECT file_name, name FROM parquet_schema(["
                + $"{string.Join(", ", paths.Select(TableViews.Literal))}])", null);
            using var reader = command.ExecuteReader();
            while (reader.Read()) names.Add((reader.GetString(0), reader.GetString(1)));
        }

        return names.ToLookup(pair => pair.Path, pair => pair.Name);
    }

    public string Explain(BatchQuery query)
    {
        using var command = Command($"EXPLAIN {query.Sql}", query.Parameters);
        using var reader = command.ExecuteReader();
        var text = new System.Text.StringBuilder();
        while (reader.Read()) text.AppendLine(reader.GetString(1));
        return text.ToString();
    }

    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private void Close()
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
}
