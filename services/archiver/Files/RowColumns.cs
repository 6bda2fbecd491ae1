using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>
/// Turns rows into column values, a chunk at a time, and learns a file's statistics on the way. Values point into the
/// arena: the buffer must stay as it is until the file is written.
/// </summary>
internal sealed unsafe class RowColumns
{
    private readonly ColumnBuffer<ByteArray> _deviceId = new(nullable: false);
    private readonly ColumnBuffer<ByteArray> _moduleId = new(nullable: true);
    private readonly ColumnBuffer<long> _enqueuedAt = new(nullable: false);
    private readonly ColumnBuffer<long> _eventAt = new(nullable: false);
    private readonly ColumnBuffer<int> _partition = new(nullable: false);
    private readonly ColumnBuffer<long> _offset = new(nullable: false);
    private readonly ColumnBuffer<ByteArray> _contentType = new(nullable: true);
    private readonly ColumnBuffer<ByteArray> _contentEncoding = new(nullable: true);
    private readonly ColumnBuffer<ByteArray> _messageId = new(nullable: true);
    private readonly MapLeafBuffer _propertyNames = new();
    private readonly MapLeafBuffer _propertyValues = new();
    private readonly ColumnBuffer<ByteArray> _body = new(nullable: false);
    private readonly PromotedBuffers? _promoted;
    private readonly ColumnBuffer[] _all;
    private FileRanges _ranges;

    public RowColumns(IReadOnlyList<PromotedColumn> promoted)
    {
        _promoted = promoted.Count == 0 ? null : new PromotedBuffers(promoted);
        _all =
        [
            _deviceId, _moduleId, _enqueuedAt, _eventAt, _partition, _offset, _contentType, _contentEncoding,
            _messageId, _propertyNames, _propertyValues, _body, .. _promoted?.Buffers ?? [],
        ];
    }

    public void BeginFile()
    {
        _ranges = FileRanges.Empty;
        _promoted?.BeginFile();
        foreach (var column in _all) column.BeginFile();
    }

    public void Add(in BufferedRow row)
    {
        var record = row.View;
        var enqueuedMs = record.TimestampMs;
        var headers = new RowHeaders();
        var properties = 0;
        foreach (var header in record.Headers)
        {
            if (headers.TryTake(header) || !header.Name.StartsWith(TelemetryHeaders.ApplicationPrefix)) continue;
            if (IsRepeatedLater(record, header.Name)) continue;
            _propertyNames.Add(Pointer(header.Name[TelemetryHeaders.ApplicationPrefix.Length..]), properties == 0);
            _propertyValues.Add(Pointer(header.Value), properties == 0);
            properties++;
        }

        if (properties == 0)
        {
            _propertyNames.AddEmpty();
            _propertyValues.AddEmpty();
        }

        var eventMs = EventTime.Choose(enqueuedMs, headers.CreationTime);
        _deviceId.Add(Pointer(record.Key));
        _enqueuedAt.Add(enqueuedMs * 1000);
        _eventAt.Add(eventMs * 1000);
        _partition.Add(row.Partition);
        _offset.Add(row.Offset);
        AddText(_moduleId, headers.HasModuleId, headers.ModuleId);
        AddText(_contentType, headers.HasContentType, headers.ContentType);
        AddText(_contentEncoding, headers.HasContentEncoding, headers.ContentEncoding);
        AddText(_messageId, headers.HasMessageId, headers.MessageId);
        _body.Add(Pointer(record.Value));
        _promoted?.Add(record.Value);
        _ranges.Take(enqueuedMs, eventMs, row.Partition, row.Offset);
    }

    /// <summary>Hands what was added since the last time to the row group.</summary>
    public void WriteTo(RowGroupWriter rowGroup)
    {
        for (var i = 0; i < _all.Length; i++) _all[i].WriteTo(rowGroup.Column(i));
    }

    /// <summary>The statistics of the rows since <see cref="BeginFile"/>.</summary>
    public FileStats Stats(long rows, string firstDevice, string lastDevice) => new(rows,
    [
        new ColumnStats("device_id", firstDevice, lastDevice, 0),
        new ColumnStats("module_id", null, null, _moduleId.NullCount),
        new ColumnStats("enqueued_at", IsoText(_ranges.EnqueuedMin), IsoText(_ranges.EnqueuedMax), 0),
        new ColumnStats("event_at", IsoText(_ranges.EventMin), IsoText(_ranges.EventMax), 0),
        new ColumnStats("log_partition", (long)_ranges.PartitionMin, (long)_ranges.PartitionMax, 0),
        new ColumnStats("log_offset", _ranges.OffsetMin, _ranges.OffsetMax, 0),
        new ColumnStats("content_type", null, null, _contentType.NullCount),
        new ColumnStats("content_encoding", null, null, _contentEncoding.NullCount),
        new ColumnStats("message_id", null, null, _messageId.NullCount),
        new ColumnStats(ArchiveSchema.Properties, null, null, 0),
        new ColumnStats(ArchiveSchema.Body, null, null, 0),
        .. _promoted?.Stats() ?? [],
    ]);

    internal static string IsoText(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static void AddText(ColumnBuffer<ByteArray> column, bool has, ReadOnlySpan<byte> text)
    {
        if (has) column.Add(Pointer(text));
        else column.AddNull();
    }

    private static ByteArray Pointer(ReadOnlySpan<byte> inArena) =>
        new((IntPtr)RecordArena.AddressOf(inArena), inArena.Length);

    /// <summary>Of a property that is there twice the last counts, and a map has each key once.</summary>
    private static bool IsRepeatedLater(RecordView record, ReadOnlySpan<byte> name)
    {
        var here = RecordArena.AddressOf(name);
        foreach (var header in record.Headers)
        {
            if (RecordArena.AddressOf(header.Name) > here && header.Name.SequenceEqual(name)) return true;
        }

        return false;
    }

    private struct FileRanges
    {
        public long EnqueuedMin, EnqueuedMax, EventMin, EventMax, OffsetMin, OffsetMax;
        public int PartitionMin, PartitionMax;

        public static FileRanges Empty => new()
        {
            EnqueuedMin = long.MaxValue,
            EnqueuedMax = long.MinValue,
            EventMin = long.MaxValue,
            EventMax = long.MinValue,
            OffsetMin = long.MaxValue,
            OffsetMax = long.MinValue,
            PartitionMin = int.MaxValue,
            PartitionMax = int.MinValue,
        };

        public void Take(long enqueuedMs, long eventMs, int partition, long offset)
        {
            PartitionMin = Math.Min(PartitionMin, partition);
            PartitionMax = Math.Max(PartitionMax, partition);
            EnqueuedMin = Math.Min(EnqueuedMin, enqueuedMs);
            EnqueuedMax = Math.Max(EnqueuedMax, enqueuedMs);
            EventMin = Math.Min(EventMin, eventMs);
            EventMax = Math.Max(EventMax, eventMs);
            OffsetMin = Math.Min(OffsetMin, offset);
            OffsetMax = Math.Max(OffsetMax, offset);
        }
    }
}
