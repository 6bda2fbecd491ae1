using Microsoft.Data.Sqlite;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// One SQLite file in WAL mode: one connection that writes, one caller at a time, and pooled ones that read.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SqliteSession _writer;

    /// <param name="durable">
    /// Whether a commit is on the disk when it returns. Without it, a power cut may take the last commits, whole.
    /// </param>
    public SqliteDatabase(string path, bool durable, int lockTimeoutSeconds, IReadOnlyList<string> migrations)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = lockTimeoutSeconds,
            Pooling = true,
        }.ToString();
        _writer = Open();
        _writer.Run($"PRAGMA journal_mode = WAL; PRAGMA synchronous = {(durable ? "FULL" : "NORMAL")}; " +
            "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY");
        Migrate(path, migrations);
    }

    /// <summary>Runs the work in one transaction: all of it counts, or nothing.</summary>
    public async ValueTask<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            _writer.Run("BEGIN IMMEDIATE");
            try
            {
                var result = work(_writer);
                _writer.Run("COMMIT");
                return result;
            }
            catch
            {
                _writer.RollBack();
                throw;
            }
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Unavailable.With(Path.GetFileName(_writer.Path), e.Message).AsException(e);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask WriteAsync(Action<SqliteSession> work, CancellationToken ct) =>
        await WriteAsync(session =>
        {
            work(session);
            return 0;
        }, ct);

    /// <summary>Reads a consistent state of the database; never waits for writers.</summary>
    public ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        try
        {
            using var session = Open();
            return ValueTask.FromResult(work(session));
        }
        catch (SqliteException e)
        {
            throw StoreErrors.Unavailable.With(Path.GetFileName(_writer.Path), e.Message).AsException(e);
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        _writing.Dispose();
        using var pool = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pool);
    }

    private SqliteSession Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return new SqliteSession(connection);
    }

    /// <summary>Migration n brings the schema from n to n + 1; each counts with its number or not at all.</summary>
    private void Migrate(string path, IReadOnlyList<string> migrations)
    {
        var have = (int)_writer.Scalar<long>("PRAGMA user_version");
        if (have > migrations.Count) throw StoreErrors.SchemaNewer.With(path, $"It has {have}.").AsException();
        for (; have < migrations.Count; have++)
            _writer.Run($"BEGIN IMMEDIATE; {migrations[have]}; PRAGMA user_version = {have + 1}; COMMIT");
    }
}
