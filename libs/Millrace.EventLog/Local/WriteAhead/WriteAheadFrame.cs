using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.Primitives;

namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>
/// What one sync of the write-ahead log makes durable: batches, and where in which segments they stand. Little-endian:
/// <code>
/// "MRWF" · u32 CRC32C of the rest of head and table · u64 the file's salt · i64 number · u32 batches · u32 table bytes
/// { u32 folder bytes · i64 first offset of the segment · u64 its salt · i64 position · u32 bytes · folder }...
/// batches
/// </code>
/// Batches have checksums of their own. As nobody outside knows the salt, no body of a record can pass for a frame.
/// </summary>
internal static class WriteAheadFrame
{
    private const int HeadBytes = 32, EntryBytes = 32, CheckedFrom = 8;

    public static ReadOnlySpan<byte> Magic => "MRWF"u8;

    /// <summary>Bytes of a frame of these batches.</summary>
    public static int Size(List<Partition> partitions) =>
        HeadBytes + partitions.Sum(one => EntryBytes + one.FolderName.Length + one.WrittenBytes.Length);

    public static void Write(IBufferWriter<byte> target, List<Partition> partitions, ulong salt, long number)
    {
        var tableBytes = partitions.Sum(one => EntryBytes + one.FolderName.Length);
        var head = target.GetSpan(HeadBytes + tableBytes)[..(HeadBytes + tableBytes)];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head[8..], salt);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], number);
        BinaryPrimitives.WriteInt32LittleEndian(head[24..], partitions.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[28..], tableBytes);
        var entry = head[HeadBytes..];
        foreach (var partition in partitions)
        {
            var (segment, folder) = (partition.Written!, partition.FolderName);
            BinaryPrimitives.WriteInt32LittleEndian(entry, folder.Length);
            BinaryPrimitives.WriteInt64LittleEndian(entry[4..], segment.FirstOffset);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[12..], segment.Salt);
            BinaryPrimitives.WriteInt64LittleEndian(entry[20..], segment.EndPosition);
            BinaryPrimitives.WriteInt32LittleEndian(entry[28..], partition.WrittenBytes.Length);
            folder.CopyTo(entry[EntryBytes..]);
            entry = entry[(EntryBytes + folder.Length)..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], Crc32C.Compute(head[CheckedFrom..]));
        target.Advance(head.Length);
        foreach (var partition in partitions) target.Write(partition.WrittenBytes);
    }

    /// <summary>Whether a head and its table are there; its number, and its size with the batches.</summary>
    public static bool TryHead(ReadOnlySpan<byte> bytes, ulong salt, out long number, out long size)
    {
        (number, size) = (0, 0);
        if (bytes.Length < HeadBytes || !bytes.StartsWith(Magic)) return false;
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) != salt) return false;
        var tableBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]);
        if (tableBytes > bytes.Length - HeadBytes) return false;
        var head = bytes[..(HeadBytes + (int)tableBytes)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Crc32C.Compute(head[CheckedFrom..])) return false;
        number = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        size = head.Length;
        for (var entry = head[HeadBytes..]; !entry.IsEmpty; entry = entry[(EntryBytes + FolderBytes(entry))..])
            size += BinaryPrimitives.ReadInt32LittleEndian(entry[28..]);
        return true;
    }

    /// <summary>The batches of a frame whose head is there; fewer than it has when one is not whole.</summary>
    public static List<AheadBatch> Batches(ReadOnlyMemory<byte> frame)
    {
        var batches = new List<AheadBatch>();
        var bytes = frame.Span;
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        var entry = bytes[HeadBytes..];
        var at = HeadBytes + BinaryPrimitives.ReadInt32LittleEndian(bytes[28..]);
        for (var i = 0; i < count; i++)
        {
            var salt = BinaryPrimitives.ReadUInt64LittleEndian(entry[12..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(entry[28..]);
            if (length > bytes.Length - at || !SegmentScan.IsWhole(bytes.Slice(at, length), salt)) break;
            var path = Path.Combine(Encoding.UTF8.GetString(entry.Slice(EntryBytes, FolderBytes(entry))),
                Segment.FileName(BinaryPrimitives.ReadInt64LittleEndian(entry[4..])));
            var position = BinaryPrimitives.ReadInt64LittleEndian(entry[20..]);
            batches.Add(new AheadBatch(path, salt, position, frame.Slice(at, length)));
            at += length;
            entry = entry[(EntryBytes + FolderBytes(entry))..];
        }

        return batches;
    }

    public static int Count(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt32LittleEndian(frame[24..]);

    private static int FolderBytes(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt32LittleEndian(entry);
}

/// <summary>A batch, and where it stands.</summary>
/// <param name="Path">Of the segment's file, below the log's folder.</param>
/// <param name="Salt">The segment's: another file of that name is another segment.</param>
internal readonly record struct AheadBatch(string Path, ulong Salt, long Position, ReadOnlyMemory<byte> Bytes);
