using System.Buffers;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local;

/// <summary>
/// Finds what a partition's folder holds: cuts what a crash left unfinished at its end, and refuses, with LOG-0002, all
/// other damage that it sees. What it then has is durable, also when the process before was killed and not the machine:
/// that one's last write may be whole, and only in memory.
/// </summary>
internal sealed class PartitionRecovery(LogRuntime runtime, string topic, string folder)
{
    private readonly ILogDisk _disk = runtime.Disk;

    public List<Segment> Open()
    {
        var names = SegmentNames();
        if (names.Length == 0) throw LogRuntime.Damaged(folder, 0, "It has no segment file.").AsException();
        _disk.SyncFolder(folder);
        var segments = new List<Segment>(names.Length);
        for (var i = 0; i < names.Length; i++)
        {
            var path = Path.Combine(folder, names[i]);
            using var file = _disk.Open(path);
            var segment = ReadHeader(path, names[i], file);
            if (i + 1 < names.Length) OpenClosed(segment, file, SegmentFile.FirstOffset(names[i + 1]));
            else OpenLast(segment, file);
            segments.Add(segment);
        }

        return segments;
    }

    private string[] SegmentNames()
    {
        var files = _disk.Files(folder);
        var segments = files.Where(name => name.EndsWith(Segment.Suffix, StringComparison.Ordinal)).ToHashSet();
        foreach (var name in files.Where(name => !segments.Contains(Path.ChangeExtension(name, Segment.Suffix))
            || name.EndsWith(SegmentFile.Unfinished, StringComparison.Ordinal)))
        {
            // An unfinished segment, or the index of a deleted one.
            _disk.Delete(Path.Combine(folder, name));
        }

        return segments.Order(StringComparer.Ordinal).ToArray();
    }

    private Segment ReadHeader(string path, string name, ILogFile file)
    {
        Span<byte> bytes = stackalloc byte[SegmentHeader.Size];
        var whole = file.Read(bytes, 0) == bytes.Length && SegmentHeader.TryRead(bytes, out _);
        SegmentHeader.TryRead(bytes, out var header);
        if (!whole || header.FirstOffset != SegmentFile.FirstOffset(name))
            throw LogRuntime.Damaged(path, 0, "The segment's header does not hold.").AsException();
        return new Segment(path, header, runtime.Options.IndexIntervalBytes.Bytes);
    }

    /// <summary>A segment with another behind it was durable to its end before that one was made.</summary>
    private void OpenClosed(Segment segment, ILogFile file, long nextOffset)
    {
        var interval = runtime.Options.IndexIntervalBytes.Bytes;
        if (SegmentIndexFile.TryRead(_disk, segment, nextOffset, file.Length, interval)) return;
        using (var window = new FileWindow(file)) SegmentScan.Extend(segment, window, nextOffset);
        if (segment.NextOffset != nextOffset)
        {
            var detail = $"Expected records {segment.NextOffset} to {nextOffset - 1} there.";
            throw LogRuntime.Damaged(segment.Path, segment.EndPosition, detail).AsException();
        }

        runtime.Log.IndexRebuilt(segment.Path);
        SegmentIndexFile.Write(_disk, segment);
    }

    /// <summary>
    /// The end is made durable as it is seen, also where it is seen already: when the process before took a batch back
    /// and failed to sync that, the disk may still have it. A change of length that changes nothing is not one to the
    /// system, so there is one that does.
    /// </summary>
    private void OpenLast(Segment segment, ILogFile file)
    {
        var torn = FindEnd(segment, file, out var lastBatch);
        if (file.Length == segment.EndPosition) file.Truncate(segment.EndPosition + 1);
        file.Truncate(segment.EndPosition);
        Rewrite(file, lastBatch, segment.EndPosition);
        file.Sync();
        if (torn == 0) return;
        runtime.Metrics.TornBytes.Add(torn, EventLogMetrics.Topic(topic));
        runtime.Log.TornTailCut(torn, segment.EndPosition, segment.Path);
    }

    private static long FindEnd(Segment segment, ILogFile file, out long lastBatch)
    {
        using var window = new FileWindow(file);
        lastBatch = SegmentScan.Extend(segment, window);
        var torn = SegmentScan.EndOfBytes(segment, window) - segment.EndPosition;
        if (torn == 0 || !SegmentScan.HasBatchBehindEnd(segment, window)) return torn;
        var detail = $"Record {segment.NextOffset} should be there, and later ones follow.";
        throw LogRuntime.Damaged(segment.Path, segment.EndPosition, detail).AsException();
    }

    /// <summary>
    /// Writes the last batch once more. When the process before failed to sync it, and ended, the system still shows
    /// its bytes as if they were on the disk, and a sync alone would not bring them there. There is no more than this
    /// one: behind a failed sync nothing is written to the file.
    /// </summary>
    private static void Rewrite(ILogFile file, long from, long to)
    {
        if (from == to) return;
        var bytes = ArrayPool<byte>.Shared.Rent((int)(to - from));
        var batch = bytes.AsSpan(0, (int)(to - from));
        file.Read(batch, from);
        file.Write(batch, from);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
