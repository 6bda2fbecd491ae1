using System.IO.Hashing;

namespace Millrace.Cql.Wire;

/// <summary>The two checksums of protocol v5's frames (native_protocol_v5.spec, section 2.2).</summary>
internal sealed class Checksums
{
    private const int Crc24Initial = 0x875060;
    private const int Crc24Polynomial = 0x1974F0B;

    private static readonly byte[] PayloadSeed = [0xFA, 0x2D, 0x55, 0xCA];
    private static readonly int[] Table = MakeTable();

    // Not static: it keeps state while it adds up. One reader, or one writer, has one.
    private readonly Crc32 _payload = new();

    /// <summary>CRC-24 of a frame's header, least significant byte first.</summary>
    public static int Header(ReadOnlySpan<byte> header)
    {
        var crc = Crc24Initial;
        foreach (var octet in header) crc = ((crc << 8) & 0xFFFFFF) ^ Table[((crc >> 16) ^ octet) & 0xFF];
        return crc;
    }

    /// <summary>CRC-32 of a frame's payload, begun with the protocol's four bytes.</summary>
    public uint Payload(ReadOnlySpan<byte> payload)
    {
        _payload.Reset();
        _payload.Append(PayloadSeed);
        _payload.Append(payload);
        return _payload.GetCurrentHashAsUInt32();
    }

    private static int[] MakeTable()
    {
        var table = new int[256];
        for (var i = 0; i < table.Length; i++)
        {
            var crc = i << 16;
            for (var bit = 0; bit < 8; bit++)
            {
                crc <<= 1;
                if ((crc & 0x1000000) != 0) crc ^= Crc24Polynomial;
            }

            table[i] = crc;
        }

        return table;
    }
}
