using System.Buffers.Binary;
using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// A closed segment's index on disk, little-endian; never synced, because it can be made again:
/// <code>
/// "MRIDX001" · i64 end position · i64 next offset · i64 latest timestamp · u64 the segment's salt · u32 entries ·
/// u32 CRC32C · { i64 offset · i64 position · i64 latest timestamp before }...
/// </code>
/// </summary>
internal static class SegmentIndexFile
{
    private const int HeadBytes = 48;
    private const int EntryBytes = 24;
    private const int CrcAt = 44;

    public static void Write(ILogDisk disk, Segment segment)
    {
        var entries = segment.Index.Entries;
        var bytes = new byte[HeadBytes + entries.Count * EntryBytes];
        "MRIDX001"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), segment.EndPosition);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), segment.NextOffset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), segment.MaxTimestampMs);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), segment.Salt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = bytes.AsSpan(HeadBytes + i * EntryBytes);
            BinaryPrimitives.WriteInt64LittleEndian(entry, entries[i].Offset);
            BinaryPrimitives.WriteInt64LittleEndian(entry[8..], entries[i].Position);
            BinaryPrimitives.WriteInt64LittleEndian(entry[16..], entries[i].TimestampBeforeMs);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CrcAt), Crc32C.Compute(bytes));
        disk.Delete(segment.IndexPath);
        using var file = disk.Create(segment.IndexPath);
        file.Write(bytes, 0);
    }

    /// <summary>
    /// Takes the index when it is whole and tells of this segment, ending where the next segment begins.
    /// </summary>
    public static bool TryRead(ILogDisk disk, Segment segment, long nextOffset, long fileLength, long intervalBytes)
    {
        if (!disk.FileExists(segment.IndexPath)) return false;
        using var file = disk.Open(segment.IndexPath);
        if (file.Length is < HeadBytes or > int.MaxValue) return false;
        var bytes = new byte[file.Length];
        if (file.Read(bytes, 0) != bytes.Length || !bytes.AsSpan().StartsWith("MRIDX001"u8)) return false;
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(CrcAt));
        bytes.AsSpan(CrcAt, 4).Clear();
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(40));
        if (crc != Crc32C.Compute(bytes) || bytes.Length != HeadBytes + (long)count * EntryBytes) return false;
        var end = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8));
        var fits = end <= fileLength
            && BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)) == nextOffset
            && BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)) == segment.Salt;
        if (!fits) return false;

        var index = new SegmentIndex(intervalBytes);
        for (var at = HeadBytes; at < bytes.Length; at += EntryBytes)
        {
            index.Restore(new IndexEntry(
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 16))));
        }

        segment.Restore(index, end, nextOffset, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)));
        return true;
    }
}
