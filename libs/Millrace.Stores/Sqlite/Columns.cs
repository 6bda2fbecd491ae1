using Microsoft.Data.Sqlite;

namespace Millrace.Stores.Sqlite;

/// <summary>How values that SQLite has no type for are kept: times in ms since 1970, in UTC.</summary>
internal static class Columns
{
    public static string? TextOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.Time(column);

    public static byte[] Bytes(this SqliteDataReader row, int column) => (byte[])row.GetValue(column);

    /// <summary>How many rows to ask for, to see whether a page of <paramref name="limit"/> is the last one.</summary>
    public static long OneMore(int limit)
    {
        // SQLite would take a negative limit for none.
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return limit + 1L;
    }

    /// <summary>A page of at most <paramref name="limit"/> rows, when <see cref="OneMore"/> were asked for.</summary>
    public static Page<T> Cut<T>(List<T> rows, int limit, Func<T, string> tokenAfter)
    {
        if (rows.Count <= limit) return new Page<T>(rows, null);
        rows.RemoveRange(limit, rows.Count - limit);
        return new Page<T>(rows, tokenAfter(rows[^1]));
    }
}
