using System.Collections;
using System.Globalization;
using Millrace.Cql;
using Millrace.Primitives;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// Rows as what they say. What cannot be read is damaged, and is ST-0012 with its table and key; no other column is
/// shown, for what it holds may be a secret.
/// </summary>
internal static class StoredRows
{
    /// <param name="markers">Of the statement that found the row: they have the names of its key.</param>
    /// <param name="values">Of the markers, or the first of them.</param>
    public static T Read<T>(
        this Row row, Func<Row, T> read, IReadOnlyList<Column> markers, IReadOnlyList<object?> values)
    {
        try
        {
            return read(row);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(row.Columns[0].Table, KeyOf(row, markers, values), e);
        }
    }

    /// <param name="key">The column that names it.</param>
    public static T Read<T>(this Row row, Func<Row, T> read, string key)
    {
        try
        {
            return read(row);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(row.Columns[0].Table, [(key, row[key])], e);
        }
    }

    public static MillraceException Damaged(
        string table, IEnumerable<(string Column, object? Value)> key, Exception cause)
    {
        StoreMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", StoreErrors.RowDamaged.Code));
        var place = string.Join(", ", key.Select(part => $"{part.Column} = {Literal(part.Value)}"));
        return StoreErrors.RowDamaged.With(place.Length == 0 ? table : $"{table}: {place}", cause.Message)
            .AsException(cause);
    }

    /// <summary>Nothing but what a row holds makes its reading fail; some of that has a code of its own.</summary>
    private static bool IsDamage(Exception failure) => failure is not MillraceException;

    /// <summary>The row's own columns where it has them, for the values may be bounds; else the values.</summary>
    private static IEnumerable<(string, object?)> KeyOf(
        Row row, IReadOnlyList<Column> markers, IReadOnlyList<object?> values)
    {
        var own = row.Columns.Select(column => column.Name).ToList();
        foreach (var (name, index) in markers.Select((marker, i) => (marker.Name, i)).DistinctBy(one => one.Name))
        {
            if (own.Contains(name) && TryGet(row, name, out var value)) yield return (name, value);
            else if (index < values.Count && !name.StartsWith('[')) yield return (name, values[index]);
        }
    }

    private static bool TryGet(Row row, string name, out object? value)
    {
        try
        {
            value = row[name];
            return true;
        }
        catch (CqlException)
        {
            value = null;
            return false;
        }
    }

    /// <summary>As CQL has it, so that a statement can be made of it.</summary>
    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => $"'{text.Replace("'", "''")}'",
        byte[] bytes => $"0x{Convert.ToHexStringLower(bytes)}",
        IEnumerable list => $"({string.Join(", ", list.Cast<object?>().Select(Literal))})",
        DateTimeOffset at => $"'{at:O}'",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
