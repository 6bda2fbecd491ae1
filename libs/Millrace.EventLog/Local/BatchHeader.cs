using System.Buffers.Binary;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// What stands before the records of one stored batch, little-endian:
/// <code>
/// "MRB1" · u32 CRC32C · i64 first offset · i64 latest timestamp of its records · u32 records · u32 bytes of records
/// </code>
/// The CRC covers the four fields and the segment's salt. As nobody outside knows the salt, no body of a record can be
/// taken for a header when a damaged file is searched for what follows the damage.
/// </summary>
internal readonly record struct BatchHeader(long FirstOffset, long MaxTimestampMs, int Count, int Bytes)
{
    public const int Size = 32;
    private const int FieldBytes = 24;

    public static ReadOnlySpan<byte> Magic => "MRB1"u8;

    public long NextOffset => FirstOffset + Count;

    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong salt, out BatchHeader header)
    {
        header = default;
        if (bytes.Length < Size || !bytes.StartsWith(Magic)) return false;
        var fields = bytes[8..Size];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Checksum(fields, salt)) return false;
        header = new BatchHeader(
            BinaryPrimitives.ReadInt64LittleEndian(fields),
            BinaryPrimitives.ReadInt64LittleEndian(fields[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(fields[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(fields[20..]));
        return header is { FirstOffset: >= 0, Count: > 0, Bytes: > 0 };
    }

    public void Write(Span<byte> target, ulong salt)
    {
        Magic.CopyTo(target);
        var fields = target[8..Size];
        BinaryPrimitives.WriteInt64LittleEndian(fields, FirstOffset);
        BinaryPrimitives.WriteInt64LittleEndian(fields[8..], MaxTimestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(fields[16..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(fields[20..], Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Checksum(fields, salt));
    }

    private static uint Checksum(ReadOnlySpan<byte> fields, ulong salt)
    {
        Span<byte> salted = stackalloc byte[FieldBytes + sizeof(ulong)];
        fields.CopyTo(salted);
        BinaryPrimitives.WriteUInt64LittleEndian(salted[FieldBytes..], salt);
        return Crc32C.Compute(salted);
    }
}
