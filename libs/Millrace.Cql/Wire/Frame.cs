using System.Buffers.Binary;

namespace Millrace.Cql.Wire;

/// <summary>What became of an attempt to read a frame.</summary>
internal enum FrameStatus
{
    Complete,

    /// <summary>More bytes must come.</summary>
    Incomplete,

    /// <summary>The header's CRC-24 does not fit: where the next frame begins is unknown.</summary>
    HeaderDamaged,

    /// <summary>The payload's CRC-32 does not fit.</summary>
    PayloadDamaged,
}

/// <summary>
/// The header of a v5 frame (section 2.2), least significant bit first: 17 bits of length (compressed: 17 of the
/// compressed and 17 of the plain length), one bit that says that the payload holds whole envelopes, padding, CRC-24.
/// </summary>
internal readonly record struct FrameHeader(int Length, int PlainLength, bool SelfContained)
{
    public const int PayloadMax = (1 << 17) - 1;
    public const int TrailerSize = 4;

    private const int LengthBits = 17;
    private const int ChecksumSize = 3;

    public static int Size(bool compressed) => (compressed ? 5 : 3) + ChecksumSize;

    public void Write(Span<byte> bytes, bool compressed)
    {
        var bits = (ulong)Length;
        var used = LengthBits;
        if (compressed)
        {
            bits |= (ulong)PlainLength << used;
            used += LengthBits;
        }

        if (SelfContained) bits |= 1UL << used;
        var size = Size(compressed) - ChecksumSize;
        PutLittleEndian(bytes[..size], bits);
        PutLittleEndian(bytes.Slice(size, ChecksumSize), (ulong)Checksums.Header(bytes[..size]));
    }

    public static FrameStatus Read(ReadOnlySpan<byte> bytes, bool compressed, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < Size(compressed)) return FrameStatus.Incomplete;
        var size = Size(compressed) - ChecksumSize;
        var checksum = (int)LittleEndian(bytes.Slice(size, ChecksumSize));
        if (Checksums.Header(bytes[..size]) != checksum) return FrameStatus.HeaderDamaged;
        var bits = LittleEndian(bytes[..size]);
        var length = (int)(bits & PayloadMax);
        var plain = compressed ? (int)((bits >> LengthBits) & PayloadMax) : length;
        header = new FrameHeader(length, plain, ((bits >> (compressed ? 2 * LengthBits : LengthBits)) & 1) != 0);
        return FrameStatus.Complete;
    }

    public static uint Trailer(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static void PutLittleEndian(Span<byte> bytes, ulong bits)
    {
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(bits >> (8 * i));
    }

    private static ulong LittleEndian(ReadOnlySpan<byte> bytes)
    {
        ulong bits = 0;
        for (var i = 0; i < bytes.Length; i++) bits |= (ulong)bytes[i] << (8 * i);
        return bits;
    }
}
