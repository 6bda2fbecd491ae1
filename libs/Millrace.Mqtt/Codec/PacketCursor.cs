using System.Buffers;

namespace Millrace.Mqtt.Codec;

/// <summary>
/// Cuts received bytes into packets. A packet within one segment is given as it lies; one that crosses segments is
/// copied to a rented buffer, which is valid until the next call. A packet above the limit is refused by its header,
/// before anything is stored for it.
/// </summary>
public ref struct PacketCursor(ReadOnlySequence<byte> received, int packetBytesMax)
{
    private const int HeaderBytesMax = 5;

    private ReadOnlySequence<byte> _rest = received;
    private ReadOnlySpan<byte> _segment = received.FirstSpan;
    private int _taken;
    private int _lastBytes;
    private byte[]? _rented;

    /// <summary>Up to where packets were read.</summary>
    public readonly SequencePosition Consumed => _rest.GetPosition(_taken);

    /// <summary>How many packets were read, without one that was put back.</summary>
    public int Packets { get; private set; }

    /// <summary>How many bytes those packets had.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether bytes of an unfinished packet, or packets not read, are left.</summary>
    public readonly bool IsEmpty => _rest.Length == _taken;

    /// <summary>The first byte of what is left; 0 when nothing is.</summary>
    public readonly byte Next => _taken < _segment.Length ? _segment[_taken] : (byte)0;

    /// <summary>The next whole packet. False with no defect: the rest is not there yet.</summary>
    public bool TryRead(out PacketHeader header, out ReadOnlySpan<byte> body, out PacketDefect defect)
    {
        var bytes = _taken < _segment.Length ? _segment[_taken..] : default;
        if (PacketHeader.TryRead(bytes, out header, out defect) && header.TotalBytes <= bytes.Length)
        {
            body = bytes.Slice(header.HeaderBytes, header.BodyBytes);
            return Take(header, ref defect);
        }

        if (defect != PacketDefect.None)
        {
            body = default;
            return false;
        }

        return TryReadAcross(out header, out body, out defect);
    }

    /// <summary>Puts the packet that was read last back, to be read again.</summary>
    public void PutBack()
    {
        _taken -= _lastBytes;
        Bytes -= _lastBytes;
        Packets--;
        _lastBytes = 0;
    }

    public void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
    }

    private bool TryReadAcross(out PacketHeader header, out ReadOnlySpan<byte> body, out PacketDefect defect)
    {
        _rest = _rest.Slice(_taken);
        _segment = _rest.FirstSpan;
        _taken = 0;
        body = default;
        Span<byte> start = stackalloc byte[HeaderBytesMax];
        start = start[..(int)Math.Min(HeaderBytesMax, _rest.Length)];
        _rest.Slice(0, start.Length).CopyTo(start);
        if (!PacketHeader.TryRead(start, out header, out defect)) return false;
        if (header.TotalBytes > packetBytesMax)
        {
            defect = PacketDefect.TooLarge;
            return false;
        }

        if (header.TotalBytes > _rest.Length) return false;
        var packet = _rest.Slice(header.HeaderBytes, header.BodyBytes);
        body = packet.IsSingleSegment ? packet.FirstSpan : Gather(packet);
        return Take(header, ref defect);
    }

    private ReadOnlySpan<byte> Gather(ReadOnlySequence<byte> packet)
    {
        var length = (int)packet.Length;
        if (_rented is null || _rented.Length < length)
        {
            Dispose();
            _rented = ArrayPool<byte>.Shared.Rent(length);
        }

        packet.CopyTo(_rented);
        return _rented.AsSpan(0, length);
    }

    private bool Take(PacketHeader header, ref PacketDefect defect)
    {
        if (header.TotalBytes > packetBytesMax)
        {
            defect = PacketDefect.TooLarge;
            return false;
        }

        _lastBytes = header.TotalBytes;
        _taken += _lastBytes;
        Bytes += _lastBytes;
        Packets++;
        return true;
    }
}
