using System.Buffers.Binary;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Cluster;

/// <summary>A partition key of several columns: of each its length, its bytes and a zero byte.</summary>
internal static class RoutingKey
{
    private const int StackBytesMax = 256;

    /// <summary>
    /// The token of the key whose values begin in <paramref name="values"/> where <paramref name="starts"/> say.
    /// </summary>
    public static long Token(ReadOnlySpan<byte> values, ReadOnlySpan<int> starts)
    {
        var size = 0;
        foreach (var start in starts) size += Value(values, start).Length + 3;
        var key = size <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[size];
        var at = 0;
        foreach (var start in starts)
        {
            var value = Value(values, start);
            BinaryPrimitives.WriteUInt16BigEndian(key[at..], (ushort)value.Length);
            value.CopyTo(key[(at + 2)..]);
            at += value.Length + 3;
            key[at - 1] = 0;
        }

        return Murmur3.Token(key[..size]);
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> values, int start) =>
        new WireReader(values[start..]).Bytes(out _);
}
