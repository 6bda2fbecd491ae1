using System.Buffers.Binary;

namespace Millrace.Contracts;

/// <summary>The Java client's default partitioner for keyed records: murmur2, so that every Kafka tool
/// agrees.</summary>
public static class Partitioner
{
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) =>
        (int)((Murmur2(key) & 0x7fffffff) % (uint)partitions);

    /// <summary>32-bit murmur2 with Kafka's seed.</summary>
    public static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint m = 0x5bd1e995;
        var hash = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
            hash = (hash * m) ^ ((k ^ (k >> 24)) * m);
            data = data[4..];
        }

        if (data.Length >= 3) hash ^= (uint)data[2] << 16;
        if (data.Length >= 2) hash ^= (uint)data[1] << 8;
        if (data.Length >= 1) hash = (hash ^ data[0]) * m;
        hash = (hash ^ (hash >> 13)) * m;
        return hash ^ (hash >> 15);
    }
}
