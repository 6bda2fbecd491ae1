using System.Buffers.Binary;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Local;

/// <summary>Letting go of old segments, and finding records by time.</summary>
internal sealed partial class Partition
{
    private bool _deletionUnsynced;

    /// <summary>Deletes every segment that has only records below the offset; returns the first offset kept.</summary>
    public long Trim(long beforeOffset)
    {
        lock (_files)
        {
            if (beforeOffset >= Active.NextOffset && !Active.IsEmpty) Roll();
            while (_segments.Count > 1 && _segments[1].FirstOffset <= beforeOffset) DeleteFirst();
            return _segments[0].FirstOffset;
        }
    }

    /// <summary>Closes the last segment; what comes begins a new one. Returns the first offset of it.</summary>
    public long RollNow()
    {
        lock (_files)
        {
            if (!Active.IsEmpty) Roll();
            return Active.FirstOffset;
        }
    }

    /// <summary>Each segment's first offset and durable bytes, oldest first.</summary>
    public IReadOnlyList<SegmentSize> Sizes()
    {
        lock (_gate) return _segments.ConvertAll(segment => new SegmentSize(segment.FirstOffset, segment.EndPosition));
    }

    /// <summary>The first record with this timestamp or a later one; the next offset when there is none.</summary>
    public long OffsetAt(long timestampMs)
    {
        while (true)
        {
            Segment? segment;
            IndexEntry from = default;
            long end = 0, next;
            lock (_gate)
            {
                next = Active.NextOffset;
                segment = _segments.Find(one => one.MaxTimestampMs >= timestampMs && !one.IsEmpty);
                if (segment is not null) (from, end) = (segment.Index.AtTime(timestampMs), segment.EndPosition);
            }

            if (segment is null) return next;
            try
            {
                return Search(segment, from.Position, end, timestampMs);
            }
            catch (FileNotFoundException) when (Range().First > segment.FirstOffset)
            {
                // Trimmed while we looked; what is left is asked again.
            }
        }
    }

    private long Search(Segment segment, long position, long end, long timestampMs)
    {
        using var file = _runtime.Disk.Open(segment.Path);
        using var window = new FileWindow(file);
        while (position < end)
        {
            if (!BatchHeader.TryRead(window.At(position, BatchHeader.Size), segment.Salt, out var batch)) break;
            position += BatchHeader.Size;
            if (batch.MaxTimestampMs >= timestampMs)
            {
                var records = window.At(position, batch.Bytes);
                for (var i = 0; records.Length >= 16; i++)
                {
                    var recordMs = BinaryPrimitives.ReadInt64LittleEndian(records[8..]);
                    if (recordMs >= timestampMs) return batch.FirstOffset + i;
                    var size = 4L + BinaryPrimitives.ReadUInt32LittleEndian(records);
                    records = records[(int)Math.Min(size, records.Length)..];
                }

                position -= BatchHeader.Size;
                break;
            }

            position += batch.Bytes;
        }

        throw LogRuntime.Damaged(segment.Path, position).AsException();
    }

    /// <summary>
    /// The oldest goes first, and durably, before the next: a gap between segments would be damage at the next open.
    /// </summary>
    private void DeleteFirst()
    {
        if (_deletionUnsynced) SyncDeletion();
        Segment oldest;
        lock (_gate)
        {
            oldest = _segments[0];
            _segments.RemoveAt(0);
        }

        try
        {
            _runtime.Disk.Delete(oldest.IndexPath);
            _runtime.Disk.Delete(oldest.Path);
        }
        catch
        {
            lock (_gate) _segments.Insert(0, oldest);
            throw;
        }

        SyncDeletion();
        _runtime.Metrics.Trimmed.Add(oldest.NextOffset - oldest.FirstOffset, _topicTag);
    }

    private void SyncDeletion()
    {
        _deletionUnsynced = true;
        _runtime.Disk.SyncFolder(_folder);
        _deletionUnsynced = false;
    }
}
