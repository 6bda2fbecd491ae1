using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using ParquetSharp;

namespace Millrace.Archiver.Rewriting;

/// <summary>
/// Rows of files of one table, all their columns, in memory. Files may lack columns that the table got after them:
/// these are null. For one thread at a time.
/// </summary>
internal sealed class RowSet
{
    private readonly RecordArena _arena = new();
    private readonly RowColumn[] _columns;
    private readonly DeltaSchema _schema;

    public RowSet(DeltaSchema schema)
    {
        _schema = schema;
        _columns = [.. ArchiveSchema.FileColumns(schema).SelectMany(RowColumn.Of)];
        Device = Text("device_id");
        EnqueuedAt = Value<long>("enqueued_at");
        LogPartition = Value<int>("log_partition");
        LogOffset = Value<long>("log_offset");
        Body = Text(ArchiveSchema.Body);
    }

    public int Count { get; private set; }

    public IReadOnlyList<RowColumn> Columns => _columns;

    public TextColumn Device { get; }

    public ValueColumn<long> EnqueuedAt { get; }

    public ValueColumn<int> LogPartition { get; }

    public ValueColumn<long> LogOffset { get; }

    private TextColumn Body { get; }

    /// <summary>Takes all rows of the file.</summary>
    /// <param name="withStatistics">Also what it says of its row groups, for who looks whether that is so.</param>
    public void Append(byte[] content, bool withStatistics = false)
    {
        using var stream = new MemoryStream(content, writable: false);
        using var file = new ParquetFileReader(stream, leaveOpen: true);
        var places = new Dictionary<string, int>();
        var schema = file.FileMetaData.Schema;
        for (var i = 0; i < schema.NumColumns; i++) places[schema.Column(i).Path.ToDotString()] = i;
        for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
        {
            using var group = file.RowGroup(i);
            var rows = checked((int)group.MetaData.NumRows);
            foreach (var column in _columns)
            {
                using var reader = places.TryGetValue(column.Path, out var place) ? group.Column(place) : null;
                using var said = withStatistics && reader is not null
                    ? group.MetaData.GetColumnChunkMetaData(place)
                    : null;
                using var statistics = said?.Statistics;
                column.Append(reader, statistics, rows, _arena);
            }

            Count += rows;
        }
    }

    /// <summary>Row numbers in the order of files: by device, time and place in the log.</summary>
    public int[] Sorted()
    {
        var devices = new DeviceTable();
        var numbers = new int[Count];
        for (var row = 0; row < Count; row++)
        {
            var id = Device.Text(row);
            numbers[row] = devices.TryFind(id, out var number) ? number : devices.Add(id);
        }

        var ranks = devices.Ranks();
        var keys = new (int Device, long At, int Partition, long Offset)[Count];
        var order = new int[Count];
        for (var row = 0; row < Count; row++)
        {
            keys[row] = (ranks[numbers[row]], EnqueuedAt[row], LogPartition[row], LogOffset[row]);
            order[row] = row;
        }

        Array.Sort(keys, order);
        return order;
    }

    /// <summary>These rows, which stand in the order of files and share their partition, as one file.</summary>
    public EncodedFile Encode(
        ReadOnlySpan<int> rows, IReadOnlyDictionary<string, string> partition, ArchiveCompression compression,
        RowGroupLimit rowGroups)
    {
        using var schema = ArchiveSchema.ToParquet(ArchiveSchema.FileColumns(_schema));
        using var properties = ArchiveSchema.PropertiesOf(compression);
        var content = new MemoryStream();
        using (var stream = new ParquetSharp.IO.ManagedOutputStream(content, leaveOpen: true))
        using (var file = new ParquetFileWriter(stream, schema, properties))
        {
            for (var left = rows; !left.IsEmpty;)
            {
                var count = rowGroups.Take(left, row => Body.Text(row).Length);
                using var group = file.AppendBufferedRowGroup();
                for (var i = 0; i < _columns.Length; i++) _columns[i].WriteTo(group.Column(i), left[..count]);
                group.Close();
                left = left[count..];
            }

            file.Close();
        }

        return new EncodedFile(
            EncodedFile.NewPath(partition["date"], partition["hour"]), partition,
            content.GetBuffer().AsMemory(0, (int)content.Length), StatsOf(rows));
    }

    private FileStats StatsOf(ReadOnlySpan<int> rows)
    {
        // Rows without a device come first.
        var without = 0;
        while (without < rows.Length && !Device.Has(rows[without])) without++;
        var devices = rows[without..];
        var columns = new List<ColumnStats>
        {
            devices.IsEmpty
                ? new("device_id", null, null, without)
                : new("device_id", TextOf(Device, devices[0]), TextOf(Device, devices[^1]), without),
        };
        foreach (var column in _columns)
        {
            if (column != Device && column.Stats(rows) is { } stats) columns.Add(stats);
        }

        return new FileStats(rows.Length, columns);
    }

    public TextColumn Text(string path) => (TextColumn)Find(path);

    public ValueColumn<T> Value<T>(string path) where T : unmanaged => (ValueColumn<T>)Find(path);

    public bool Has(string path) => _columns.Any(column => column.Path == path);

    public RowColumn Find(string path) => _columns.First(column => column.Path == path);

    private static string TextOf(TextColumn column, int row) => System.Text.Encoding.UTF8.GetString(column.Text(row));
}
