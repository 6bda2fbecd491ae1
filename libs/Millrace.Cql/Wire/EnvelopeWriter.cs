using System.Buffers.Binary;
using K4os.Compression.LZ4;

namespace Millrace.Cql.Wire;

/// <summary>
/// Turns envelopes, one behind the other, into what goes over the wire: in v5 frames of up to 128 KiB that hold as many
/// whole envelopes as fit, before that the envelopes themselves. Pure; allocates nothing once its buffers have grown.
/// </summary>
internal sealed class EnvelopeWriter(bool compress)
{
    private readonly Checksums _checksums = new();

    /// <summary>Set when the server has agreed to v5.</summary>
    public bool Framed { get; set; }

    public void Write(ReadOnlySpan<byte> envelopes, WireBuffer output)
    {
        if (Framed) WriteFrames(envelopes, output);
        else if (compress) WriteCompressedEnvelopes(envelopes, output);
        else output.Raw(envelopes);
    }

    private void WriteFrames(ReadOnlySpan<byte> envelopes, WireBuffer output)
    {
        while (envelopes.Length > 0)
        {
            var whole = WholeEnvelopes(envelopes);
            if (whole > 0)
            {
                WriteFrame(envelopes[..whole], selfContained: true, output);
                envelopes = envelopes[whole..];
                continue;
            }

            var rest = envelopes[..LengthOf(envelopes)];
            envelopes = envelopes[rest.Length..];
            while (rest.Length > 0)
            {
                var part = rest[..Math.Min(FrameHeader.PayloadMax, rest.Length)];
                WriteFrame(part, selfContained: false, output);
                rest = rest[part.Length..];
            }
        }
    }

    private void WriteFrame(ReadOnlySpan<byte> payload, bool selfContained, WireBuffer output)
    {
        var headerAt = output.Length;
        var headerSize = FrameHeader.Size(compress);
        output.Take(headerSize);
        var stored = compress ? Compress(payload, output) : 0;

        // A plain length of 0 says that compression was not worth it.
        var plainLength = stored > 0 ? payload.Length : 0;
        if (stored == 0) output.Raw(payload);
        var written = output.Written[headerAt..];
        var sent = written[headerSize..];
        var checksum = _checksums.Payload(sent);
        var header = new FrameHeader(sent.Length, plainLength, selfContained);
        header.Write(output.Rewrite(headerAt, headerSize), compress);
        BinaryPrimitives.WriteUInt32LittleEndian(output.Take(FrameHeader.TrailerSize), checksum);
    }

    private static int Compress(ReadOnlySpan<byte> payload, WireBuffer output)
    {
        var start = output.Length;
        var room = output.Take(LZ4Codec.MaximumOutputSize(payload.Length));
        var size = LZ4Codec.Encode(payload, room);
        var worthIt = size > 0 && size < payload.Length;
        output.Truncate(start + (worthIt ? size : 0));
        return worthIt ? size : 0;
    }

    /// <summary>v4: the body is the plain length and an LZ4 block. STARTUP and its like are sent plain.</summary>
    private static void WriteCompressedEnvelopes(ReadOnlySpan<byte> envelopes, WireBuffer output)
    {
        while (envelopes.Length > 0)
        {
            var envelope = envelopes[..LengthOf(envelopes)];
            envelopes = envelopes[envelope.Length..];
            var header = EnvelopeHeader.Read(envelope);
            var body = envelope[EnvelopeHeader.Size..];
            var headerAt = output.Length;
            output.Take(EnvelopeHeader.Size);
            output.Int(body.Length);
            var plain = header.Opcode is Opcode.Startup or Opcode.Options || body.Length == 0;
            if (!plain && Compress(body, output) > 0)
            {
                var length = output.Length - headerAt - EnvelopeHeader.Size;
                header = header with { Flags = header.Flags | EnvelopeFlags.Compressed, Length = length };
                header.Write(output.Rewrite(headerAt, EnvelopeHeader.Size));
                continue;
            }

            output.Truncate(headerAt);
            output.Raw(envelope);
        }
    }

    /// <summary>
    /// The bytes of the first envelopes that fit into one frame together; 0 when the first is too long.
    /// </summary>
    private static int WholeEnvelopes(ReadOnlySpan<byte> envelopes)
    {
        if (envelopes.Length <= FrameHeader.PayloadMax) return envelopes.Length;
        var end = 0;
        while (end < envelopes.Length)
        {
            var length = LengthOf(envelopes[end..]);
            if (end + length > FrameHeader.PayloadMax) break;
            end += length;
        }

        return end;
    }

    private static int LengthOf(ReadOnlySpan<byte> envelopes) =>
        EnvelopeHeader.Size + EnvelopeHeader.Read(envelopes).Length;
}
