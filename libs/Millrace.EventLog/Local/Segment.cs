using System.Globalization;

namespace Millrace.EventLog.Local;

/// <summary>One file of a partition. What grows is guarded by the partition's gate.</summary>
internal sealed class Segment(string path, SegmentHeader header, long indexIntervalBytes)
{
    public const string Suffix = ".log";

    public string Path { get; } = path;

    public string IndexPath { get; } = System.IO.Path.ChangeExtension(path, ".index");

    public long FirstOffset { get; } = header.FirstOffset;

    public long MadeAtMs { get; } = header.MadeAtMs;

    public ulong Salt { get; } = header.Salt;

    public SegmentIndex Index { get; private set; } = new(indexIntervalBytes);

    /// <summary>Where the durable bytes end; nobody reads past it.</summary>
    public long EndPosition { get; private set; } = SegmentHeader.Size;

    public long NextOffset { get; private set; } = header.FirstOffset;

    /// <summary>The latest timestamp of its records.</summary>
    public long MaxTimestampMs { get; private set; } = long.MinValue;

    public bool IsEmpty => NextOffset == FirstOffset;

    public static string FileName(long firstOffset) =>
        firstOffset.ToString("d20", CultureInfo.InvariantCulture) + Suffix;

    /// <summary>The batch that stands at the end position is durable.</summary>
    public void Extend(BatchHeader batch)
    {
        Index.Note(batch.FirstOffset, EndPosition, MaxTimestampMs);
        EndPosition += BatchHeader.Size + batch.Bytes;
        NextOffset = batch.NextOffset;
        MaxTimestampMs = Math.Max(MaxTimestampMs, batch.MaxTimestampMs);
    }

    public void Restore(SegmentIndex index, long endPosition, long nextOffset, long maxTimestampMs)
    {
        Index = index;
        EndPosition = endPosition;
        NextOffset = nextOffset;
        MaxTimestampMs = maxTimestampMs;
    }
}
