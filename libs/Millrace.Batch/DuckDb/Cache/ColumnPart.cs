using Millrace.Delta.Log;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>A column of one row group.</summary>
/// <param name="Name">As statements know it: of a nested column the name of the outermost.</param>
/// <param name="Bytes">Its pages.</param>
/// <param name="Filter">Its Bloom filter; empty when it has none.</param>
/// <param name="Stats">Null of a nested column.</param>
internal sealed record ColumnPart(string Name, ByteRange Bytes, ByteRange Filter, ColumnStats? Stats)
{
    /// <summary>The next element of a row group's columns (<c>ColumnChunk</c>).</summary>
    public static ColumnPart Read(ref CompactReader reader, ParquetLeaf leaf)
    {
        ColumnPart? part = null;
        for (var id = 0; reader.NextField(ref id, out var type);)
        {
            if (id == 3) part = ReadMetadata(ref reader, leaf);
            else reader.Skip(type);
        }

        return part ?? throw new InvalidDataException("A column does not say where it is.");
    }

    private static ColumnPart ReadMetadata(ref CompactReader reader, ParquetLeaf leaf)
    {
        var path = new List<string>();
        var (bytes, pages, dictionary, filter, filterBytes) = (0L, 0L, 0L, 0L, 0L);
        (object? Min, object? Max) stats = default;
        for (var id = 0; reader.NextField(ref id, out var type);)
        {
            switch (id)
            {
                case 3:
                    for (var left = reader.ListHead().Count; left > 0; left--) path.Add(reader.Text());
                    break;
                case 7: bytes = reader.Whole(); break;
                case 9: pages = reader.Whole(); break;
                case 11: dictionary = reader.Whole(); break;
                case 12: stats = ReadStatistics(ref reader, leaf); break;
                case 14: filter = reader.Whole(); break;
                case 15: filterBytes = reader.Whole(); break;
                default: reader.Skip(type); break;
            }
        }

        if (path.Count == 0) throw new InvalidDataException("A column has no name.");
        var from = dictionary > 0 && dictionary < pages ? dictionary : pages;
        return new ColumnPart(
            path[0], new ByteRange(from, from + bytes), new ByteRange(filter, filter + filterBytes),
            path.Count == 1 ? new ColumnStats(path[0], stats.Min, stats.Max, null) : null);
    }

    /// <summary>
    /// Those by the order of the column's type, and not the older ones, of which it is not said how they are ordered. A
    /// long text may be cut, the least to one before it and the greatest to one behind it.
    /// </summary>
    private static (object? Min, object? Max) ReadStatistics(ref CompactReader reader, ParquetLeaf leaf)
    {
        (object? Min, object? Max) stats = default;
        for (var id = 0; reader.NextField(ref id, out var type);)
        {
            switch (id)
            {
                case 5: stats.Max = leaf.Greatest(reader.Bytes()); break;
                case 6: stats.Min = leaf.Least(reader.Bytes()); break;
                default: reader.Skip(type); break;
            }
        }

        return stats;
    }
}
