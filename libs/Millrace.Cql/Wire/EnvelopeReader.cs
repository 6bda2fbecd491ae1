using System.Buffers.Binary;
using K4os.Compression.LZ4;

namespace Millrace.Cql.Wire;

/// <summary>
/// Finds envelopes in what arrives, however it is cut: bytes are put into <see cref="Free"/>, and <see cref="TryRead"/>
/// gives one envelope after the other. Anything that is not the protocol is a CQ-9005; lengths are checked before room
/// is made for them. Pure: no socket.
/// </summary>
internal sealed class EnvelopeReader(bool compressed, int envelopeBytesMax)
{
    private const int ReadBytes = 64 * 1024;

    private readonly Checksums _checksums = new();
    private readonly WireBuffer _plain = new();
    private readonly WireBuffer _parts = new();
    private byte[] _input = new byte[2 * ReadBytes];
    private int _start;
    private int _end;

    // What is left of a self-contained frame's payload: in _plain when it was compressed, else in _input.
    private bool _payloadIsPlain;
    private int _payloadAt;
    private int _payloadEnd;

    // Whether what _parts holds was given as an envelope already.
    private bool _partsGiven;

    /// <summary>Set when the server has agreed to v5.</summary>
    public bool Framed { get; set; }

    /// <summary>Room for what arrives next. Envelopes that were given before are gone after this.</summary>
    public Span<byte> Free
    {
        get
        {
            if (_input.Length - _end < ReadBytes / 2) MakeRoom(ReadBytes / 2);
            return _input.AsSpan(_end);
        }
    }

    /// <summary>So many bytes were put into <see cref="Free"/>.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>The next whole envelope; its body is valid until the next call.</summary>
    public bool TryRead(out EnvelopeHeader header, out ReadOnlySpan<byte> body)
    {
        while (true)
        {
            if (!Framed) return TryReadBare(out header, out body);
            if (_payloadAt < _payloadEnd)
            {
                var payload = (_payloadIsPlain ? _plain.Written : _input)[_payloadAt.._payloadEnd];
                if (!TrySplit(payload, out header, out body)) throw Violated("a frame that ends within an envelope");
                _payloadAt += EnvelopeHeader.Size + header.Length;
                return true;
            }

            if (!TryReadFrame(out var frame, out var content))
            {
                header = default;
                body = default;
                return false;
            }

            if (!frame.SelfContained && TryComplete(content, out header, out body)) return true;
        }
    }

    private bool TryReadBare(out EnvelopeHeader header, out ReadOnlySpan<byte> body)
    {
        if (!TrySplit(_input.AsSpan(_start, _end - _start), out header, out body)) return false;
        _start += EnvelopeHeader.Size + header.Length;
        if ((header.Flags & EnvelopeFlags.Compressed) == 0) return true;
        if (!compressed || body.Length < 4) throw Violated("a compressed message that was not asked for");
        var plainLength = BinaryPrimitives.ReadInt32BigEndian(body);
        if (plainLength < 0 || plainLength > envelopeBytesMax) throw TooLarge(plainLength);
        body = plainLength == 0 ? default : Decompress(body[4..], plainLength);
        header = header with { Length = body.Length };
        return true;
    }

    private bool TryReadFrame(out FrameHeader frame, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        var input = _input.AsSpan(_start, _end - _start);
        var status = FrameHeader.Read(input, compressed, out frame);
        if (status == FrameStatus.HeaderDamaged) throw Violated("a frame header whose CRC-24 does not fit");
        var headerSize = FrameHeader.Size(compressed);
        var size = headerSize + frame.Length + FrameHeader.TrailerSize;
        if (status == FrameStatus.Incomplete || input.Length < size) return false;
        var stored = input.Slice(headerSize, frame.Length);
        if (_checksums.Payload(stored) != FrameHeader.Trailer(input[(headerSize + frame.Length)..]))
            throw Violated("a frame whose CRC-32 does not fit");
        _payloadIsPlain = compressed && frame.PlainLength > 0;
        payload = _payloadIsPlain ? Decompress(stored, frame.PlainLength) : stored;
        var at = _payloadIsPlain ? 0 : _start + headerSize;
        (_payloadAt, _payloadEnd) = frame.SelfContained ? (at, at + payload.Length) : (0, 0);
        if (frame.SelfContained && _parts.Length > 0 && !_partsGiven)
            throw Violated("an envelope that was left unfinished");
        _start += size;
        return true;
    }

    /// <summary>Adds a part of an envelope that is longer than a frame.</summary>
    private bool TryComplete(ReadOnlySpan<byte> part, out EnvelopeHeader header, out ReadOnlySpan<byte> body)
    {
        if (_partsGiven) _parts.Clear();
        _partsGiven = false;
        _parts.Raw(part);
        if (!TrySplit(_parts.Written, out header, out body)) return false;
        if (_parts.Length > EnvelopeHeader.Size + header.Length) throw Violated("bytes behind a divided envelope");
        _partsGiven = true;
        return true;
    }

    private bool TrySplit(ReadOnlySpan<byte> bytes, out EnvelopeHeader header, out ReadOnlySpan<byte> body)
    {
        header = default;
        body = default;
        if (bytes.Length < EnvelopeHeader.Size) return false;
        header = EnvelopeHeader.Read(bytes);
        if (!header.IsResponse) throw Violated("something that is not a response of the protocol");
        if (header.Length < 0 || header.Length > envelopeBytesMax) throw TooLarge(header.Length);
        if (bytes.Length - EnvelopeHeader.Size < header.Length) return false;
        body = bytes.Slice(EnvelopeHeader.Size, header.Length);
        return true;
    }

    private ReadOnlySpan<byte> Decompress(ReadOnlySpan<byte> block, int plainLength)
    {
        _plain.Clear();
        if (LZ4Codec.Decode(block, _plain.Take(plainLength)) != plainLength) throw Violated("a damaged LZ4 block");
        return _plain.Written;
    }

    /// <summary>Moves what is not read yet to the front, and grows only for an envelope that needs it.</summary>
    private void MakeRoom(int count)
    {
        var used = _end - _start;
        var size = _input.Length;
        while (size - used < count) size = checked(size * 2);
        var target = size == _input.Length ? _input : new byte[size];
        _input.AsSpan(_start, used).CopyTo(target);
        _input = target;
        (_start, _end) = (0, used);
    }

    private CqlException TooLarge(int length) =>
        CqlErrors.ResponseTooLarge.With(length, $"The limit is {envelopeBytesMax}.").AsCql();

    private static CqlException Violated(string what) => CqlErrors.ProtocolViolated.With(what).AsCql();
}
