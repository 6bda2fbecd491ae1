using System.Globalization;
using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using ParquetSharp;
using ParquetSharp.IO;
using ParquetSharp.Schema;

namespace Millrace.Archiver.Files;

/// <summary>A finished file in memory, and what the table's log says of it.</summary>
/// <param name="Content">Valid until the encoder is asked for the next file.</param>
/// <param name="Path">Relative to the table's root; never used before.</param>
internal sealed record EncodedFile(
    string Path, IReadOnlyDictionary<string, string> PartitionValues, ReadOnlyMemory<byte> Content, FileStats Stats)
{
    /// <param name="dataChange">False when the rows were in the table before, in other files.</param>
    public AddFile ToAction(DateTimeOffset writtenAt, bool dataChange = true) => new(
        Path, PartitionValues, Content.Length, writtenAt.ToUnixTimeMilliseconds(), dataChange, Stats);

    /// <summary>A name in the partition's folder that no other file has.</summary>
    public static string NewPath(string date, string hour) =>
        $"date={date}/hour={hour}/part-{Guid.NewGuid():N}.parquet";
}

/// <summary>
/// Encodes a buffer's rows as Parquet files, one for each enqueued hour. Reused; for one thread at a time.
/// </summary>
internal sealed class FileEncoder : IDisposable
{
    /// <summary>
    /// Rows at a time that go through the column buffers: few enough to stay in the processor's cache.
    /// </summary>
    private const int ChunkRows = 4096;

    private readonly RowOrder _order = new();
    private readonly MemoryStream _content = new();
    private readonly RowColumns _columns;
    private readonly GroupNode _schema;
    private readonly WriterProperties _properties;
    private readonly RowGroupLimit _rowGroups;

    public FileEncoder(ArchiveLayout layout, ArchiveCompression compression, RowGroupLimit rowGroups)
    {
        _columns = layout.NewColumns();
        _schema = ArchiveSchema.ToParquet(ArchiveSchema.FileColumns(layout.Schema));
        _properties = ArchiveSchema.PropertiesOf(compression);
        _rowGroups = rowGroups;
    }

    /// <summary>The files in the order of their hours; each is encoded when it is asked for.</summary>
    public IEnumerable<EncodedFile> Encode(RowBuffer buffer)
    {
        var (order, starts) = _order.Sort(buffer);
        var slots = Enumerable.Range(0, buffer.Hours.Count).OrderBy(slot => buffer.Hours[slot]);
        foreach (var slot in slots) yield return Encode(buffer, order, starts[slot], starts[slot + 1], slot);
    }

    public void Dispose()
    {
        _content.Dispose();
        _properties.Dispose();
        _schema.Dispose();
    }

    private EncodedFile Encode(RowBuffer buffer, int[] order, int begin, int end, int slot)
    {
        _content.SetLength(0);
        _columns.BeginFile();
        using (var stream = new ManagedOutputStream(_content, leaveOpen: true))
        using (var file = new ParquetFileWriter(stream, _schema, _properties))
        {
            for (var left = order.AsSpan(begin, end - begin); !left.IsEmpty;)
            {
                var count = _rowGroups.Take(left, row => buffer.Rows[row].Length);
                WriteRowGroup(file, buffer.Rows, left[..count]);
                left = left[count..];
            }

            file.Close();
        }

        var hour = DateTimeOffset.UnixEpoch.AddHours(buffer.Hours[slot]);
        var date = hour.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return new EncodedFile(
            EncodedFile.NewPath(date, hour.Hour.ToString(CultureInfo.InvariantCulture)),
            new Dictionary<string, string>
            {
                ["date"] = date,
                ["hour"] = hour.Hour.ToString(CultureInfo.InvariantCulture),
            },
            _content.GetBuffer().AsMemory(0, (int)_content.Length),
            _columns.Stats(end - begin));
    }

    private void WriteRowGroup(ParquetFileWriter file, ReadOnlySpan<BufferedRow> rows, ReadOnlySpan<int> order)
    {
        using var rowGroup = file.AppendBufferedRowGroup();
        while (!order.IsEmpty)
        {
            var chunk = order[..Math.Min(ChunkRows, order.Length)];
            foreach (var row in chunk) _columns.Add(rows[row]);
            _columns.WriteTo(rowGroup);
            order = order[chunk.Length..];
        }

        rowGroup.Close();
    }
}
