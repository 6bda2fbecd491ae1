using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using ParquetSharp;
using ParquetSharp.IO;

namespace Millrace.Archiver.Rewriting;

/// <summary>
/// One file of a job's results in memory: an engine wrote it, with whatever columns the job's statement has. For one
/// thread at a time.
/// </summary>
internal sealed class JobFile : IDisposable
{
    private const string DeviceColumn = "device_id";

    private readonly RecordArena _arena = new();
    private readonly MemoryStream _content;
    private readonly ParquetFileReader _file;
    private readonly RowColumn[] _columns;
    private readonly TextColumn? _device;

    public JobFile(byte[] content, DeltaSchema schema)
    {
        _content = new MemoryStream(content, writable: false);
        _file = new ParquetFileReader(_content, leaveOpen: true);
        var columns = _file.FileMetaData.Schema;
        _columns =
            [.. Enumerable.Range(0, columns.NumColumns).Select(i => RowColumn.Of(columns.Column(i), schema))];
        _device = _columns.OfType<TextColumn>().FirstOrDefault(column => column.Path == DeviceOf(schema));
        for (var i = 0; i < _file.FileMetaData.NumRowGroups; i++)
        {
            using var group = _file.RowGroup(i);
            var rows = checked((int)group.MetaData.NumRows);
            for (var place = 0; place < _columns.Length; place++)
            {
                using var reader = group.Column(place);
                _columns[place].Append(reader, null, rows, _arena);
            }

            Count += rows;
        }
    }

    public int Count { get; }

    /// <summary>The column that names a row's device, as the table writes it; null when it has none.</summary>
    public static string? DeviceOf(DeltaSchema schema) => schema.Columns.FirstOrDefault(column =>
        column.Type == DeltaType.String && column.Name.Equals(DeviceColumn, StringComparison.OrdinalIgnoreCase))?.Name;

    /// <summary>How many rows are of the device.</summary>
    public int CountOf(ReadOnlySpan<byte> device) => Count - Without(device).Count;

    /// <summary>The rows that are of no device or of another.</summary>
    public List<int> Without(ReadOnlySpan<byte> device)
    {
        var others = new List<int>();
        for (var row = 0; row < Count; row++)
            if (_device?.Has(row) != true || !_device.Text(row).SequenceEqual(device)) others.Add(row);
        return others;
    }

    /// <summary>These rows as a file with the same columns.</summary>
    /// <param name="path">Where it will lie, relative to the table's root.</param>
    public EncodedFile Encode(
        ReadOnlySpan<int> rows, string path, IReadOnlyDictionary<string, string> partition,
        ArchiveCompression compression, int rowGroupRows)
    {
        using var schema = _file.FileMetaData.Schema.GroupNode;
        using var properties = PropertiesOf(compression);
        var content = new MemoryStream();
        using (var stream = new ManagedOutputStream(content, leaveOpen: true))
        using (var file = new ParquetFileWriter(stream, schema, properties))
        {
            for (var left = rows; !left.IsEmpty;)
            {
                var some = left[..Math.Min(rowGroupRows, left.Length)];
                using var group = file.AppendBufferedRowGroup();
                for (var i = 0; i < _columns.Length; i++) _columns[i].WriteTo(group.Column(i), some);
                group.Close();
                left = left[some.Length..];
            }

            file.Close();
        }

        return new EncodedFile(
            path, partition, content.GetBuffer().AsMemory(0, (int)content.Length), StatsOf(rows));
    }

    public void Dispose()
    {
        _file.Dispose();
        _content.Dispose();
    }

    private static WriterProperties PropertiesOf(ArchiveCompression compression)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(compression == ArchiveCompression.Zstd ? Compression.Zstd : Compression.Snappy);
        builder.SetSizeStatisticsLevel(SizeStatisticsLevel.None);
        builder.CreatedBy("Millrace");
        return builder.Build();
    }

    /// <summary>Of the rows that are left: the bounds of before may be the device that went.</summary>
    private FileStats StatsOf(ReadOnlySpan<int> rows)
    {
        var columns = new List<ColumnStats>();
        foreach (var column in _columns)
        {
            if ((column == _device ? DeviceStats(_device, rows) : column.Stats(rows)) is { } stats) columns.Add(stats);
        }

        return new FileStats(rows.Length, columns);
    }

    private static ColumnStats DeviceStats(TextColumn devices, ReadOnlySpan<int> rows)
    {
        var (least, greatest, without) = (-1, -1, 0L);
        foreach (var row in rows)
        {
            if (!devices.Has(row))
            {
                without++;
                continue;
            }

            var device = devices.Text(row);
            if (least < 0 || device.SequenceCompareTo(devices.Text(least)) < 0) least = row;
            if (greatest < 0 || device.SequenceCompareTo(devices.Text(greatest)) > 0) greatest = row;
        }

        return new ColumnStats(devices.Path, TextOf(least), TextOf(greatest), without);

        string? TextOf(int row) => row < 0 ? null : System.Text.Encoding.UTF8.GetString(devices.Text(row));
    }
}
