using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Files;

/// <summary>The columns of a query output's rows.</summary>
internal sealed class OutputColumns(string topic) : RowColumns
{
    private readonly ColumnBuffer<ByteArray> _rowId = new(nullable: false);
    private readonly ColumnBuffer<ByteArray> _query = new(nullable: true);
    private readonly ColumnBuffer<int> _version = new(nullable: true);
    private readonly ColumnBuffer<long> _at = new(nullable: false);
    private readonly ColumnBuffer<ByteArray> _deviceId = new(nullable: true);
    private readonly ColumnBuffer<long> _enqueuedAt = new(nullable: false);
    private readonly ColumnBuffer<int> _partition = new(nullable: false);
    private readonly ColumnBuffer<long> _offset = new(nullable: false);
    private readonly ColumnBuffer<ByteArray> _body = new(nullable: false);

    /// <summary>Identities that no header says; the encoder reads them after they were added.</summary>
    private readonly List<byte[]> _made = [];

    private ByteArray? _firstDevice, _lastDevice;
    private LongRange _ats, _enqueued, _partitions, _offsets;

    protected override IReadOnlyList<ColumnBuffer> All => field ??=
        [_rowId, _query, _version, _at, _deviceId, _enqueuedAt, _partition, _offset, _body];

    public override void BeginFile()
    {
        base.BeginFile();
        _made.Clear();
        (_firstDevice, _lastDevice) = (null, null);
        (_ats, _enqueued, _partitions, _offsets) = (new(), new(), new(), new());
    }

    public override void Add(in BufferedRow buffered)
    {
        var record = buffered.View;
        var row = OutputRecord.Of(record);
        _rowId.Add(row.HasRowId ? Pointer(row.RowId) : Made(buffered));
        AddText(_query, !row.Query.IsEmpty, row.Query);
        if (row.Query.IsEmpty) _version.AddNull();
        else _version.Add(row.Version);
        _at.Add(row.AtMs * 1000);
        AddText(_deviceId, !row.Device.IsEmpty, row.Device);
        _enqueuedAt.Add(record.TimestampMs * 1000);
        _partition.Add(buffered.Partition);
        _offset.Add(buffered.Offset);
        _body.Add(Pointer(record.Value));
        _ats.Take(row.AtMs);
        _enqueued.Take(record.TimestampMs);
        _partitions.Take(buffered.Partition);
        _offsets.Take(buffered.Offset);
        if (row.Device.IsEmpty) return;
        _lastDevice = Pointer(row.Device);
        _firstDevice ??= _lastDevice;
    }

    public override FileStats Stats(long rows) => new(rows,
    [
        new ColumnStats("row_id", null, null, 0),
        new ColumnStats("query", null, null, _query.NullCount),
        new ColumnStats("version", null, null, _version.NullCount),
        _ats.TimeStats("at"),
        new ColumnStats("device_id", TextOf(_firstDevice), TextOf(_lastDevice), _deviceId.NullCount),
        _enqueued.TimeStats("enqueued_at"),
        _partitions.Stats("log_partition"),
        _offsets.Stats("log_offset"),
        new ColumnStats("body", null, null, 0),
    ]);

    private ByteArray Made(in BufferedRow row)
    {
        var text = OutputRecord.RowIdAt(new TopicPartition(topic, row.Partition), row.Offset);
        var place = GC.AllocateUninitializedArray<byte>(text.Length, pinned: true);
        System.Text.Encoding.ASCII.GetBytes(text, place);
        _made.Add(place);
        return Pointer(place);
    }
}
