using Millrace.Delta.Log;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>A row group of a Parquet file, as the file's footer says it.</summary>
/// <param name="Number">Its place among the file's.</param>
/// <param name="Footer">What the footer says of it.</param>
/// <param name="Stats">What its columns hold, as a table's log has it of files.</param>
internal sealed record RowGroup(
    int Number, Range Footer, long Rows, IReadOnlyList<ColumnPart> Columns, FileStats Stats)
{
    /// <param name="leaves">The columns of the schema, in whose order those of a row group are.</param>
    public static RowGroup Read(ref CompactReader reader, int number, IReadOnlyList<ParquetLeaf> leaves)
    {
        var from = reader.At;
        var columns = new List<ColumnPart>();
        var rows = 0L;
        for (var id = 0; reader.NextField(ref id, out var type);)
        {
            switch (id)
            {
                case 1:
                    for (var left = reader.ListHead().Count; left > 0; left--)
                    {
                        if (columns.Count >= leaves.Count) throw new InvalidDataException("A column has no schema.");
                        columns.Add(ColumnPart.Read(ref reader, leaves[columns.Count]));
                    }

                    break;
                case 3: rows = reader.Whole(); break;
                default: reader.Skip(type); break;
            }
        }

        var stats = columns.Select(column => column.Stats).OfType<ColumnStats>().ToList();
        return new RowGroup(number, from..reader.At, rows, columns, new FileStats(rows, stats));
    }
}
