using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millrace.Stores.Sqlite;

/// <summary>A prepared statement that changes rows and is run very often. Parameters count from 1.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private byte[] _text = new byte[256];

    public SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v2(database, sql, out _statement));
    }

    public void Bind(int index, long value) => Check(raw.sqlite3_bind_int64(_statement, index, value));

    public void Bind(int index, string? value)
    {
        if (value is null)
        {
            Check(raw.sqlite3_bind_null(_statement, index));
            return;
        }

        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (most > _text.Length) _text = new byte[most];
        var count = Encoding.UTF8.GetBytes(value, _text);

        // SQLite copies what is bound, so that the buffer may be used again at once.
        Check(raw.sqlite3_bind_text(_statement, index, _text.AsSpan(0, count)));
    }

    public void Bind(int index, ReadOnlySpan<byte> value) =>
        Check(raw.sqlite3_bind_blob(_statement, index, value));

    /// <summary>Runs the statement and returns how many rows it changed.</summary>
    public int Run()
    {
        var result = raw.sqlite3_step(_statement);
        var reset = raw.sqlite3_reset(_statement);
        if (result != raw.SQLITE_DONE) Check(reset == raw.SQLITE_OK ? result : reset);
        return raw.sqlite3_changes(_database);
    }

    /// <summary>The row id of the row that was inserted last.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(_database);

    public void Dispose() => _statement.Dispose();

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _database);
}
