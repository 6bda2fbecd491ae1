using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// One SQLite file in WAL mode: one connection that writes, one caller at a time, and others that read meanwhile.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private const int IdleReadersMax = 8;

    private readonly string _path;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentBag<SqliteSession> _readers = [];
    private readonly SqliteSession _writer;
    private volatile bool _disposed;

    /// <param name="durable">
    /// Whether a commit is on the disk when it returns. Without it, a power cut may take the last commits, whole.
    /// </param>
    public SqliteDatabase(
        string path, bool durable, int lockTimeoutSeconds, IReadOnlyList<Migration> migrations, TimeProvider time)
    {
        _path = path;
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = lockTimeoutSeconds,
            Pooling = false,
        }.ToString();
        try
        {
            CreatePrivate(path);
            _writer = Open();
            Prepare(durable, migrations, time);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Unavailable.With(path, e.Message).AsException(e);
        }
        catch (SqliteException e)
        {
            _writer?.Dispose();
            throw e.Told(path);
        }
        catch
        {
            _writer?.Dispose();
            throw;
        }
    }

    /// <summary>Runs the work in one transaction: all of it counts, or nothing.</summary>
    public async ValueTask<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            return InTransaction(_writer, "BEGIN IMMEDIATE", work);
        }
        catch (SqliteException e)
        {
            throw e.Told(_path);
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

    /// <summary>Reads one state of the database, whatever is written meanwhile; never waits for writers.</summary>
    public ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(work));
    }

    public T Read<T>(Func<SqliteSession, T> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        SqliteSession? session = null;
        try
        {
            if (!_readers.TryTake(out session)) session = Open();
            var result = InTransaction(session, "BEGIN", work);
            GiveBack(session);
            return result;
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            throw e.Told(_path);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_readers.TryTake(out var reader)) reader.Dispose();
        _writer.Dispose();
        _writing.Dispose();
    }

    private static T InTransaction<T>(SqliteSession session, string begin, Func<SqliteSession, T> work)
    {
        session.Run(begin);
        try
        {
            var result = work(session);
            session.Run("COMMIT");
            return result;
        }
        catch
        {
            session.RollBack();
            throw;
        }
    }

    /// <summary>The files beside it (-wal, -shm) take its mode: keys and hashes of tokens are nobody else's.</summary>
    private static void CreatePrivate(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (OperatingSystem.IsWindows() || File.Exists(path)) return;
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var made = new FileStream(path, options);
    }

    private void Prepare(bool durable, IReadOnlyList<Migration> migrations, TimeProvider time)
    {
        // The log of a busy database is folded back every 32 MiB: pages that many commits changed are written once.
        _writer.Run($"PRAGMA journal_mode = WAL; PRAGMA synchronous = {(durable ? "FULL" : "NORMAL")}; " +
            "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8192; " +
            "PRAGMA journal_size_limit = 67108864");
        SqliteMigrations.Run(_writer, _path, migrations, time);
    }

    private SqliteSession Open()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            return new SqliteSession(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void GiveBack(SqliteSession session)
    {
        if (_disposed || _readers.Count >= IdleReadersMax) session.Dispose();
        else _readers.Add(session);
    }
}
