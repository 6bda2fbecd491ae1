using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Millrace.Stores.Sqlite;

/// <summary>
/// One SQLite file in WAL mode: one connection that writes, one caller at a time, and others that read meanwhile.
/// Several processes of one machine may have it open.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private const int IdleReadersMax = 8;
    private const int WritesMax = 64;

    // Waits for another process in steps of milliseconds; beyond it, the command asks again until its own time is up.
    private const string Patience = "PRAGMA busy_timeout = 500";

    private readonly string _path;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentQueue<PendingWrite> _waiting = [];
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

    /// <summary>
    /// Runs the work in a transaction: all of it counts, or nothing. Those who wait while another commits go together
    /// into the next commit, and so share its disk sync; each fails alone.
    /// </summary>
    public async ValueTask<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken ct)
    {
        var write = new PendingWrite<T>(work);
        _waiting.Enqueue(write);
        try
        {
            await _writing.WaitAsync(ct);
        }
        catch (OperationCanceledException) when (!write.TryClaim())
        {
            // Somebody has taken it along; how it ends is known when that turn ends.
            await _writing.WaitAsync(CancellationToken.None);
        }

        try
        {
            while (!write.IsDone) CommitWaiting();
        }
        finally
        {
            _writing.Release();
        }

        try
        {
            return write.Result();
        }
        catch (SqliteException e)
        {
            throw e.Told(_path);
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
            session.Run("BEGIN");
            var result = work(session);
            session.Run("COMMIT");
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

    /// <summary>Commits what waits, for the caller whose turn it is.</summary>
    private void CommitWaiting()
    {
        var writes = new List<PendingWrite>();
        while (writes.Count < WritesMax && _waiting.TryDequeue(out var next))
            if (next.TryClaim()) writes.Add(next);
        Exception? failure = null;
        try
        {
            _writer.Run("BEGIN IMMEDIATE");
            if (writes is [var only]) only.Run(_writer);
            else foreach (var write in writes) RunApart(write);
            _writer.Run("COMMIT");
        }
        catch (Exception e)
        {
            failure = e;
            _writer.RollBack();
        }
        finally
        {
            foreach (var write in writes) write.End(failure);
        }
    }

    /// <summary>What fails is taken back alone, unless it ended the whole transaction, as a full disk does.</summary>
    private void RunApart(PendingWrite write)
    {
        _writer.Run("SAVEPOINT one");
        try
        {
            write.Run(_writer);
        }
        catch (Exception e) when (_writer.InTransaction)
        {
            _writer.Run("ROLLBACK TO one");
            write.End(e);
        }

        _writer.Run("RELEASE one");
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
            var session = new SqliteSession(connection);
            session.Run(Patience);
            return session;
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
