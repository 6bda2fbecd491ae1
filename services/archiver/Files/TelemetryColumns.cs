using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>The columns of telemetry, the promoted ones behind the others.</summary>
internal sealed class TelemetryColumns : RowColumns
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
    private ByteArray? _firstDevice;
    private ByteArray _lastDevice;
    private LongRange _enqueued, _event, _partitions, _offsets;

    public TelemetryColumns(IReadOnlyList<PromotedColumn> promoted)
    {
        _promoted = promoted.Count == 0 ? null : new PromotedBuffers(promoted);
        _all =
        [
            _deviceId, _moduleId, _enqueuedAt, _eventAt, _partition, _offset, _contentType, _contentEncoding,
            _messageId, _propertyNames, _propertyValues, _body, .. _promoted?.Buffers ?? [],
        ];
    }

    protected override IReadOnlyList<ColumnBuffer> All => _all;

    public override void BeginFile()
    {
        base.BeginFile();
        _firstDevice = null;
        (_enqueued, _event, _partitions, _offsets) = (new(), new(), new(), new());
        _promoted?.BeginFile();
    }

    public override void Add(in BufferedRow row)
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
        _lastDevice = Pointer(record.Key);
        _firstDevice ??= _lastDevice;
        _enqueued.Take(enqueuedMs);
        _event.Take(eventMs);
        _partitions.Take(row.Partition);
        _offsets.Take(row.Offset);
    }

    public override FileStats Stats(long rows) => new(rows,
    [
        new ColumnStats("device_id", TextOf(_firstDevice), TextOf(_lastDevice), 0),
        new ColumnStats("module_id", null, null, _moduleId.NullCount),
        _enqueued.TimeStats("enqueued_at"),
        _event.TimeStats("event_at"),
        _partitions.Stats("log_partition"),
        _offsets.Stats("log_offset"),
        new ColumnStats("content_type", null, null, _contentType.NullCount),
        new ColumnStats("content_encoding", null, null, _contentEncoding.NullCount),
        new ColumnStats("message_id", null, null, _messageId.NullCount),
        new ColumnStats(ArchiveSchema.Properties, null, null, 0),
        new ColumnStats(ArchiveSchema.Body, null, null, 0),
        .. _promoted?.Stats() ?? [],
    ]);

    /// <summary>Of a property that is there twice the last counts, and a map has each key once.</summary>
    private static unsafe bool IsRepeatedLater(RecordView record, ReadOnlySpan<byte> name)
    {
        var here = RecordArena.AddressOf(name);
        foreach (var header in record.Headers)
        {
            if (RecordArena.AddressOf(header.Name) > here && header.Name.SequenceEqual(name)) return true;
        }

        return false;
    }
}
