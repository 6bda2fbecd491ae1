using System.Numerics;
using System.Runtime.InteropServices;

namespace Millrace.Primitives;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), on the processor's own instruction where it has one.</summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var octet in bytes[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, octet);
        return ~crc;
    }
}
