using System.Buffers.Binary;
using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>The last batches that were read of a partition, without a record missing from a place on.</summary>
internal sealed class RecentBatches(TopicPartition partition, long start)
{
    private readonly List<RecordBatch> _batches = [];
    private long _bytes;

    /// <summary>How many of the first were let go, and are removed when they are many.</summary>
    private int _gone;

    /// <summary>All records from here on are there.</summary>
    public long Start { get; private set; } = start;

    /// <summary>Behind about half of what is there.</summary>
    public long Middle => _gone < _batches.Count ? _batches[(_gone + _batches.Count) / 2].FirstOffset : Start;

    public void Add(RecordBatch batch)
    {
        _batches.Add(batch);
        _bytes += batch.Bytes.Length;
    }

    /// <summary>Lets go of what lies before an offset, and of the oldest that are too much; the last stays.</summary>
    public void Shrink(long before, long bytesMax)
    {
        while (_gone < _batches.Count && (_batches[_gone].NextOffset <= before
            || (_bytes > bytesMax && _gone < _batches.Count - 1)))
        {
            _bytes -= _batches[_gone].Bytes.Length;
            Start = _batches[_gone].NextOffset;
            _batches[_gone++] = default;
        }

        if (_gone < (_batches.Count + 1) / 2) return;
        _batches.RemoveRange(0, _gone);
        _gone = 0;
    }

    /// <summary>
    /// The records from an offset on, as many as fit, or the first of them; false when there are none. What stands in
    /// one batch is not copied.
    /// </summary>
    /// <param name="scratch">Whatever it has is lost.</param>
    public bool TryTake(long position, int bytesMax, RecordBatchBuilder scratch, out RecordBatch taken)
    {
        var at = IndexOf(position);
        if (at == _batches.Count)
        {
            taken = RecordBatch.None(partition, position);
            return false;
        }

        taken = PartOf(_batches[at], position, bytesMax);
        if (!IsFollowed(at, taken, taken.Bytes.Length, bytesMax)) return true;
        scratch.Clear();
        scratch.Append(taken);
        var last = taken;
        while (IsFollowed(at, last, scratch.ByteCount, bytesMax)) scratch.Append(last = _batches[++at]);
        taken = taken with { Count = scratch.Count, Bytes = scratch.Bytes.ToArray() };
        return true;
    }

    /// <summary>Whether the next batch goes on where this ends, and fits as well.</summary>
    private bool IsFollowed(int at, RecordBatch last, int bytes, int bytesMax) =>
        at + 1 < _batches.Count && _batches[at + 1].FirstOffset == last.NextOffset
        && bytes + _batches[at + 1].Bytes.Length <= bytesMax;

    /// <summary>Of the first batch that ends behind the position.</summary>
    private int IndexOf(long position)
    {
        var (low, high) = (_gone, _batches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_batches[middle].NextOffset > position) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private static RecordBatch PartOf(RecordBatch batch, long position, int bytesMax)
    {
        if (position <= batch.FirstOffset && batch.Bytes.Length <= bytesMax) return batch;
        var bytes = batch.Bytes.Span;
        var (first, start) = (batch.FirstOffset, 0);
        for (; first < position; first++) start += SizeAt(bytes, start);
        var (count, end) = (0, start);
        while (end < bytes.Length)
        {
            var next = end + SizeAt(bytes, end);
            if (count > 0 && next - start > bytesMax) break;
            (count, end) = (count + 1, next);
        }

        return new RecordBatch(batch.Partition, first, count, batch.Bytes[start..end]);
    }

    private static int SizeAt(ReadOnlySpan<byte> bytes, int at) =>
        4 + (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
