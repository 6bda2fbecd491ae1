using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Millrace.Saql.Decoding;

/// <summary>
/// What is compressed, unpacked as a whole. .NET takes what was cut off for its end, so that each format is looked at
/// for its own.
/// </summary>
internal static class PackedBody
{
    public const string Gzip = "gzip";
    private const string Deflate = "deflate";
    private const int GzipTailBytes = 8;

    /// <exception cref="FormatException">It is damaged or cut off, or becomes more than the most.</exception>
    public static byte[] Unpack(byte[] packed, string encoding, long bytesMax) => encoding switch
    {
        Gzip => FromGzip(packed, bytesMax),
        // "deflate" is the zlib format; some senders leave its head and tail out.
        Deflate when HasZlibHead(packed) =>
            FromDeflate(packed, stream => new ZLibStream(stream, CompressionMode.Decompress), bytesMax),
        Deflate => FromDeflate(packed, bytesMax),
        _ => throw new FormatException($"Its content-encoding is '{encoding}'; known are gzip and deflate."),
    };

    /// <summary>Without any head, as a block of Avro has it.</summary>
    public static byte[] FromDeflate(byte[] packed, long bytesMax) =>
        FromDeflate(packed, stream => new DeflateStream(stream, CompressionMode.Decompress), bytesMax);

    private static byte[] FromDeflate(byte[] packed, Func<Stream, Stream> unpack, long bytesMax)
    {
        var input = new Input(packed);
        using var stream = unpack(input);
        using var plain = new MemoryStream();
        Copy(stream, plain, bytesMax);
        // Behind the last block, and the checksum of zlib, nothing more is asked for.
        return input.IsDrained ? throw Damaged() : plain.ToArray();
    }

    private static byte[] FromGzip(byte[] packed, long bytesMax)
    {
        using var plain = new MemoryStream();
        UnpackGzip(new MemoryStream(packed), plain, bytesMax);
        return plain.ToArray();
    }

    /// <summary>
    /// Any number of members. At the end of each .NET compares what it unpacked with the member's tail, but misses that
    /// the last has none: it has the checksum and the length of what was unpacked last.
    /// </summary>
    /// <param name="packed">From its begin; it can be read again.</param>
    /// <param name="plain">Empty; it can be read again.</param>
    /// <exception cref="FormatException">It is damaged or cut off, or becomes more than the most.</exception>
    public static void UnpackGzip(Stream packed, Stream plain, long bytesMax)
    {
        using (var stream = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true))
            Copy(stream, plain, bytesMax);
        if (packed.Length < GzipTailBytes) throw Damaged();
        Span<byte> tail = stackalloc byte[GzipTailBytes];
        packed.Position = packed.Length - GzipTailBytes;
        packed.ReadExactly(tail);
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(tail);

        // A tail has the length without what is beyond 32 bits.
        for (long last = BinaryPrimitives.ReadUInt32LittleEndian(tail[4..]); last <= plain.Length; last += 1L << 32)
        {
            var crc = new Crc32();
            plain.Position = plain.Length - last;
            crc.Append(plain);
            if (crc.GetCurrentHashAsUInt32() == checksum) return;
        }

        throw Damaged();
    }

    private static bool HasZlibHead(byte[] packed) =>
        packed.Length > 1 && (packed[0] & 0x0F) == 8 && ((packed[0] << 8) | packed[1]) % 31 == 0;

    private static void Copy(Stream stream, Stream plain, long bytesMax)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            for (var read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                plain.Write(buffer.AsSpan(0, read));
                if (plain.Length > bytesMax)
                    throw new FormatException($"It unpacks to more than {bytesMax} bytes.");
            }
        }
        catch (Exception wrong) when (wrong is InvalidDataException or IOException)
        {
            throw Damaged();
        }
    }

    private static FormatException Damaged() => new("It is damaged: it cannot be unpacked.");

    /// <summary>Knows whether more was asked for than there is.</summary>
    private sealed class Input(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public bool IsDrained { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            IsDrained |= read == 0 && count > 0;
            return read;
        }
    }
}
