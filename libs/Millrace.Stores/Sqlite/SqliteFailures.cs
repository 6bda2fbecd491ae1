using Microsoft.Data.Sqlite;
using Millrace.Primitives;
using SQLitePCL;

namespace Millrace.Stores.Sqlite;

/// <summary>What the database's own errors mean to a user.</summary>
internal static class SqliteFailures
{
    public static MillraceException Told(this SqliteException failure, string path)
    {
        var definition = failure.SqliteErrorCode switch
        {
            raw.SQLITE_FULL => StoreErrors.DiskFull,
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => StoreErrors.Locked,
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => StoreErrors.Corrupted,
            raw.SQLITE_TOOBIG => StoreErrors.RowRefused,
            _ => StoreErrors.Unavailable,
        };
        StoreMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", definition.Code));
        return definition.With(path, failure.Message).AsException(failure);
    }
}
