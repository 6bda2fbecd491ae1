using System.Buffers.Binary;
using System.Numerics;

namespace Millrace.Cql.Cluster;

/// <summary>
/// Cassandra's Murmur3Partitioner: the first half of MurmurHash3 x64 128, with the bytes of the tail taken as signed,
/// as Cassandra has always done. Long.MinValue is no token and becomes the largest.
/// </summary>
internal static class Murmur3
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;
    private const int BlockSize = 16;

    public static long Token(ReadOnlySpan<byte> key)
    {
        ulong h1 = 0, h2 = 0;
        var tail = key;
        for (; tail.Length >= BlockSize; tail = tail[BlockSize..])
        {
            h1 = BitOperations.RotateLeft(h1 ^ MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(tail)), 27) + h2;
            h1 = (h1 * 5) + 0x52dce729;
            h2 = BitOperations.RotateLeft(h2 ^ MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..])), 31) + h1;
            h2 = (h2 * 5) + 0x38495ab5;
        }

        if (tail.Length > 8) h2 ^= MixSecond(Signed(tail[8..]));
        if (tail.Length > 0) h1 ^= MixFirst(Signed(tail[..Math.Min(8, tail.Length)]));
        h1 ^= (ulong)key.Length;
        h2 ^= (ulong)key.Length;
        h1 += h2;
        h2 += h1;
        h1 = Finish(h1) + Finish(h2);
        return (long)h1 == long.MinValue ? long.MaxValue : (long)h1;
    }

    private static ulong Signed(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = 0; i < bytes.Length; i++) value ^= (ulong)(long)(sbyte)bytes[i] << (8 * i);
        return value;
    }

    private static ulong MixFirst(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong MixSecond(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong Finish(ulong h)
    {
        h ^= h >> 33;
        h *= 0xff51afd7ed558ccd;
        h ^= h >> 33;
        h *= 0xc4ceb9fe1a85ec53;
        return h ^ (h >> 33);
    }
}
