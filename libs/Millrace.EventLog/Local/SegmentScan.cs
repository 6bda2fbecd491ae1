using Millrace.Contracts;

namespace Millrace.EventLog.Local;

/// <summary>Reads a segment's batches from its beginning and finds where what is whole ends.</summary>
internal static class SegmentScan
{
    private const int SearchBytes = 1 << 16;

    /// <summary>
    /// Extends the segment by every whole batch, up to the first that is not, or up to <paramref name="endOffset"/>:
    /// what stands behind it is left from a write that failed, before the log went on in the next segment. Returns
    /// where the last whole batch begins, which is the segment's end when there is none.
    /// </summary>
    public static long Extend(Segment segment, FileWindow window, long endOffset = long.MaxValue)
    {
        var last = segment.EndPosition;
        while (segment.NextOffset < endOffset
            && TryBatch(segment, window, segment.EndPosition, out var batch)
            && batch.FirstOffset == segment.NextOffset
            && HoldsRecords(batch, window.At(segment.EndPosition + BatchHeader.Size, batch.Bytes)))
        {
            last = segment.EndPosition;
            segment.Extend(batch);
        }

        return last;
    }

    /// <summary>
    /// Whether a batch stands anywhere behind the segment's end. A batch is written only when the one before it is
    /// durable: then what lies between is no torn write but damage.
    /// </summary>
    public static bool HasBatchBehindEnd(Segment segment, FileWindow window)
    {
        // A head that is whole says where the next batch begins; without one, any place may be it.
        var from = TryBatch(segment, window, segment.EndPosition, out var damaged)
            && damaged.FirstOffset == segment.NextOffset
                ? segment.EndPosition + BatchHeader.Size + damaged.Bytes
                : segment.EndPosition + 1;
        for (var position = from; position < window.Length;)
        {
            var bytes = window.At(position, SearchBytes);
            var found = bytes.IndexOf(BatchHeader.Magic);
            if (found < 0)
            {
                position += Math.Max(1, bytes.Length - BatchHeader.Magic.Length + 1);
                continue;
            }

            position += found;
            if (TryBatch(segment, window, position, out var batch) && batch.FirstOffset > segment.NextOffset)
                return true;
            position++;
        }

        return false;
    }

    /// <summary>Whether the bytes are one batch of a segment with this salt.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> bytes, ulong salt) =>
        BatchHeader.TryRead(bytes, salt, out var batch) && HoldsRecords(batch, bytes[BatchHeader.Size..]);

    /// <summary>Where the last byte ends that is not a zero: zeros are room that was made ahead of batches.</summary>
    public static long EndOfBytes(Segment segment, FileWindow window)
    {
        var end = segment.EndPosition;
        for (var position = end; position < window.Length;)
        {
            var bytes = window.At(position, SearchBytes);
            var last = bytes.LastIndexOfAnyExcept((byte)0);
            if (last >= 0) end = position + last + 1;
            position += bytes.Length;
        }

        return end;
    }

    private static bool TryBatch(Segment segment, FileWindow window, long position, out BatchHeader batch) =>
        BatchHeader.TryRead(window.At(position, BatchHeader.Size), segment.Salt, out batch);

    private static bool HoldsRecords(BatchHeader batch, ReadOnlySpan<byte> records)
    {
        if (records.Length != batch.Bytes) return false;
        var count = 0;
        for (; !records.IsEmpty; count++)
        {
            var size = RecordView.Check(records);
            if (size <= 0) return false;
            records = records[size..];
        }

        return count == batch.Count;
    }
}
