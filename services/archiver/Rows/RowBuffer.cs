using Millrace.Archiver.Files;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;
using Millrace.EventLog;

namespace Millrace.Archiver.Rows;

/// <summary>Where a record lies in the arena, and what sorting needs of it.</summary>
internal unsafe struct BufferedRow
{
    public byte* Record;
    public int Length;
    public int Device;
    public int Partition;
    public int HourSlot;
    public long Offset;

    public readonly RecordView View => RecordView.Of(new ReadOnlySpan<byte>(Record, Length), Offset);
}

/// <summary>
/// Gathers records of several partitions until they become files. Knows from where to where each partition was read:
/// positions move with the rows. Not safe for use by two threads at once.
/// </summary>
/// <param name="bytesMax">About the most that it will hold: memory is taken in proportion.</param>
/// <param name="clock">Says which times are believed; null believes all.</param>
internal sealed unsafe class RowBuffer(
    ArchiveLayout layout, long recordBytesMax, long bytesMax, RecordClock? clock = null)
{
    private const long HourMs = 3_600_000;

    private readonly RecordArena _arena = new(bytesMax);
    private readonly DeviceTable _devices = new();
    private readonly Dictionary<int, PartitionSpan> _partitions = [];
    private readonly List<DeadLetter> _deadLetters = [];
    private readonly List<long> _hours = [];
    private BufferedRow[] _rows = new BufferedRow[1024];

    /// <summary>Rows that will be written; dead letters do not count.</summary>
    public int Count { get; private set; }

    /// <summary>The size of all records, as in the log.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _partitions.Count == 0;

    /// <summary>The partitions that were read from, each with its first and next offset.</summary>
    public IReadOnlyDictionary<int, PartitionSpan> Partitions => _partitions;

    /// <summary>
    /// Records that cannot become rows: they must be durable as dead letters before the positions move.
    /// </summary>
    public IReadOnlyList<DeadLetter> DeadLetters => _deadLetters;

    /// <summary>The enqueued hours that occur, counted from 1970; a row has its place in here.</summary>
    public IReadOnlyList<long> Hours => _hours;

    /// <summary>Those of the rows whose way is traced.</summary>
    public List<TracedRecord> Traced { get; } = [];

    internal ReadOnlySpan<BufferedRow> Rows => _rows.AsSpan(0, Count);

    internal DeviceTable Devices => _devices;

    /// <summary>Records that do not count, because a stale owner wrote them.</summary>
    public int Fenced { get; private set; }

    /// <summary>
    /// Takes all records of the batch, which must come behind the partition's last; offsets between them hold no
    /// record. Copies them.
    /// </summary>
    /// <param name="fence">What the partition's reader has seen of epochs; null where nobody owns records.</param>
    public void Add(RecordBatch batch, DateTimeOffset now, EpochFence? fence = null)
    {
        var partition = batch.Partition.Partition;
        if (!_partitions.TryGetValue(partition, out var span))
            span = new PartitionSpan(batch.FirstOffset, batch.FirstOffset, 0, null);
        if (span.Next > batch.FirstOffset)
            throw new InvalidOperationException($"{batch.Partition}: {batch.FirstOffset} is before {span.Next}.");

        var copy = batch with { Bytes = _arena.Copy(batch.Bytes.Span) };
        var newestMs = span.NewestMs;
        var latestMs = clock?.LatestMs(batch.Partition.Topic) ?? long.MaxValue;
        var isTracing = MessageSpans.AreOn;
        foreach (var record in copy)
        {
            if (fence is not null && !fence.Admits(record))
            {
                if (!record.TryGetHeader(OutputHeaders.Fence, out _)) Fenced++;
                continue;
            }

            var known = _devices.TryFind(record.Key, out var device);
            var fault = layout.Find(record, known, recordBytesMax, latestMs);
            if (fault != RecordFault.None)
            {
                var error = RecordFaults.ErrorOf(fault);
                _deadLetters.Add(DeadLetter.Of(
                    record, batch.Partition, DeadLetterStages.Archiver, error.Code, error.What, now));
                continue;
            }

            if (!known) device = _devices.Add(record.Key);
            if (Count == _rows.Length) Array.Resize(ref _rows, Count * 2);
            _rows[Count++] = new BufferedRow
            {
                Record = RecordArena.AddressOf(record.Bytes),
                Length = record.Bytes.Length,
                Device = device,
                Partition = partition,
                HourSlot = SlotOf(record.TimestampMs),
                Offset = record.Offset,
            };
            newestMs = Math.Max(newestMs, record.TimestampMs);
            if (isTracing && TracedRecord.TryRead(batch.Partition, record, out var traced)) Traced.Add(traced);
        }

        Bytes += batch.Bytes.Length;
        _partitions[partition] = new PartitionSpan(span.First, batch.NextOffset, newestMs, fence?.Epochs);
    }

    public void Clear()
    {
        (Count, Bytes, Fenced) = (0, 0, 0);
        _arena.Clear();
        _partitions.Clear();
        _deadLetters.Clear();
        _hours.Clear();
        Traced.Clear();
        _devices.Trim();
    }

    private int SlotOf(long timestampMs)
    {
        var hour = timestampMs >= 0 ? timestampMs / HourMs : ((timestampMs + 1) / HourMs) - 1;
        for (var slot = _hours.Count - 1; slot >= 0; slot--)
        {
            if (_hours[slot] == hour) return slot;
        }

        _hours.Add(hour);
        return _hours.Count - 1;
    }
}

/// <param name="First">The offset of the first record that was taken.</param>
/// <param name="Next">The offset after the last.</param>
/// <param name="NewestMs">The newest enqueued time among them; 0 when there is none.</param>
/// <param name="Epochs">The epochs that were seen in the partition up to here; null where there are none.</param>
internal readonly record struct PartitionSpan(
    long First, long Next, long NewestMs, IReadOnlyDictionary<string, long>? Epochs);
