using System.Security.Cryptography;

namespace Millrace.Stores.Checkpoints;

/// <summary>
/// A part of a state, cut where its content says so: what has not changed since the checkpoint before is the same
/// chunks, wherever it lies now, and need not be written again.
/// </summary>
/// <param name="Id">Of its content.</param>
internal readonly record struct StateChunk(Guid Id, ReadOnlyMemory<byte> Bytes)
{
    private const int BytesMin = 32 << 10, BytesMax = 512 << 10, IdBytes = 16;

    /// <summary>One place in 128 Ki, beyond the least, is one to cut at.</summary>
    private const int ZeroBits = 17;

    private static readonly ulong[] Gear = MakeGear();

    /// <summary>In order; together they are the state.</summary>
    public static List<StateChunk> Cut(byte[] state)
    {
        var chunks = new List<StateChunk>();
        for (var start = 0; start < state.Length;)
        {
            var bytes = state.AsMemory(start, LengthOf(state.AsSpan(start)));
            chunks.Add(new StateChunk(IdOf(bytes.Span), bytes));
            start += bytes.Length;
        }

        return chunks;
    }

    private static Guid IdOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new Guid(hash[..IdBytes], bigEndian: true);
    }

    /// <summary>Up to a place whose last 64 bytes have a hash that begins with zeros.</summary>
    private static int LengthOf(ReadOnlySpan<byte> rest)
    {
        if (rest.Length <= BytesMin) return rest.Length;
        var most = Math.Min(rest.Length, BytesMax);
        ulong hash = 0;
        for (var at = BytesMin - 64; at < most; at++)
        {
            hash = (hash << 1) + Gear[rest[at]];
            if (at >= BytesMin && hash >> (64 - ZeroBits) == 0) return at + 1;
        }

        return most;
    }

    /// <summary>Any numbers do that look random, as long as they stay the same.</summary>
    private static ulong[] MakeGear()
    {
        var gear = new ulong[256];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        for (var i = 0; i < gear.Length; i++)
        {
            SHA256.HashData([(byte)i], hash);
            gear[i] = BitConverter.ToUInt64(hash);
        }

        return gear;
    }
}
