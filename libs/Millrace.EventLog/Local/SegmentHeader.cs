using System.Buffers.Binary;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// The first bytes of a segment file, little-endian, durable before anything follows:
/// <code>"MRSEG001" · i64 first offset · i64 made at (ms since 1970 UTC) · u64 salt · u32 0 · u32 CRC32C</code>
/// </summary>
internal readonly record struct SegmentHeader(long FirstOffset, long MadeAtMs, ulong Salt)
{
    public const int Size = 40;

    public static bool TryRead(ReadOnlySpan<byte> bytes, out SegmentHeader header)
    {
        header = default;
        if (bytes.Length < Size || !bytes.StartsWith("MRSEG001"u8)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]) != Crc32C.Compute(bytes[..36])) return false;
        header = new SegmentHeader(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));
        return header.FirstOffset >= 0;
    }

    public void Write(Span<byte> target)
    {
        "MRSEG001"u8.CopyTo(target);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], FirstOffset);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], MadeAtMs);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], Salt);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(target[36..], Crc32C.Compute(target[..36]));
    }
}
