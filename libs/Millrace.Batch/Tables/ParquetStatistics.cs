using Millrace.Batch.DuckDb.Cache;
using Millrace.Delta.Log;
using Millrace.ObjectStore;

namespace Millrace.Batch.Tables;

/// <summary>What a Parquet object's footer says of its columns. Times are ISO 8601 text, to the microsecond.</summary>
public static class ParquetStatistics
{
    private const int TailBytes = 64 * 1024;

    /// <summary>Null when the footer cannot be read: who knows nothing of a file passes none over.</summary>
    /// <param name="bytes">The object's size.</param>
    public static async ValueTask<FileStats?> ReadAsync(
        IObjectStore store, string key, long bytes, CancellationToken ct = default)
    {
        var tail = await TailAsync(store, key, bytes, Math.Min(bytes, TailBytes), ct).ConfigureAwait(false);
        try
        {
            var length = ParquetFooter.LengthIn(tail);
            if (length > bytes) return null;
            if (length > tail.Length) tail = await TailAsync(store, key, bytes, length, ct).ConfigureAwait(false);
            return Of(ParquetFooter.Read(tail.AsSpan((int)(tail.Length - length))).Groups);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static async ValueTask<byte[]> TailAsync(
        IObjectStore store, string key, long bytes, long count, CancellationToken ct) =>
        await store.GetRangeAsync(key, bytes - count, (int)count, ct).ConfigureAwait(false) ?? [];

    /// <summary>
    /// A column of which one row group says nothing has no bound. A table's log could not name such a one, and who
    /// reads it takes the columns that it names for all that the file has: it then says only how many rows there are.
    /// </summary>
    private static FileStats Of(IReadOnlyList<RowGroup> groups)
    {
        var columns = new List<ColumnStats>();
        foreach (var name in groups.SelectMany(group => group.Stats.Columns).Select(column => column.Column).Distinct())
        {
            var parts = groups.Select(group => group.Stats.Find(name)).ToList();
            columns.Add(new ColumnStats(name, Bound(parts.Select(part => part?.Min), least: true),
                Bound(parts.Select(part => part?.Max), least: false), null));
        }

        var isWhole = groups.All(group => group.Columns.All(column => column.Stats is not null))
            && columns.All(column => column.Min is not null || column.Max is not null);
        return new FileStats(groups.Sum(group => group.Rows), isWhole ? columns : []);
    }

    private static object? Bound(IEnumerable<object?> values, bool least)
    {
        object? bound = null;
        foreach (var value in values)
        {
            if (value is null) return null;
            var order = bound is null ? 0 : Compare(value, bound);
            if (bound is null || (least ? order < 0 : order > 0)) bound = value;
        }

        return bound;
    }

    private static int Compare(object a, object b) =>
        a is string text ? string.CompareOrdinal(text, (string)b) : Comparer<object>.Default.Compare(a, b);
}
