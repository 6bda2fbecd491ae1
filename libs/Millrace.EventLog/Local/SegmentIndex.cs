namespace Millrace.EventLog.Local;

/// <summary>A stored batch begins at the position with the offset.</summary>
/// <param name="TimestampBeforeMs">The latest timestamp of all that the segment has before it.</param>
internal readonly record struct IndexEntry(long Offset, long Position, long TimestampBeforeMs);

/// <summary>
/// A sparse index of one segment, by offset and by time. Guarded by the partition's gate while its segment grows.
/// </summary>
internal sealed class SegmentIndex(long intervalBytes)
{
    private readonly List<IndexEntry> _entries = [];

    public IReadOnlyList<IndexEntry> Entries => _entries;

    /// <summary>Notes a batch when it is the first, or far enough from the one noted last.</summary>
    public void Note(long offset, long position, long timestampBeforeMs)
    {
        if (_entries.Count == 0 || position - _entries[^1].Position >= intervalBytes)
            _entries.Add(new IndexEntry(offset, position, timestampBeforeMs));
    }

    public void Restore(IndexEntry entry) => _entries.Add(entry);

    /// <summary>The last entry at or before the offset.</summary>
    public IndexEntry AtOffset(long offset) => Last(entry => entry.Offset <= offset);

    /// <summary>The last entry before which every record is older than the time.</summary>
    public IndexEntry AtTime(long timestampMs) => Last(entry => entry.TimestampBeforeMs < timestampMs);

    /// <summary>Both conditions hold up to some entry, and for none after it.</summary>
    private IndexEntry Last(Func<IndexEntry, bool> holds)
    {
        int low = 0, high = _entries.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (holds(_entries[middle])) low = middle;
            else high = middle - 1;
        }

        return _entries[low];
    }
}
