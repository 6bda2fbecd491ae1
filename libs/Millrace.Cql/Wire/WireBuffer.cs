using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Millrace.Cql.Wire;

/// <summary>
/// Bytes to send, in the protocol's notation (section 3): numbers big-endian, a length before each content. It grows as
/// needed and keeps its room when it is cleared, so that one which is used again allocates nothing.
/// </summary>
internal sealed class WireBuffer(int capacity = 256)
{
    // A buffer that once held something huge gives the room back.
    private const int KeptBytesMax = 1 << 20;

    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    public void Clear()
    {
        if (_bytes.Length > KeptBytesMax && Length < KeptBytesMax / 2) _bytes = new byte[capacity];
        Length = 0;
    }

    /// <summary>The next <paramref name="count"/> bytes, to be filled.</summary>
    public Span<byte> Take(int count)
    {
        if (_bytes.Length - Length < count) Grow(count);
        var taken = _bytes.AsSpan(Length, count);
        Length += count;
        return taken;
    }

    public void Truncate(int length) => Length = length;

    public void Byte(byte value) => Take(1)[0] = value;

    public void Short(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), checked((ushort)value));

    public void Int(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(4), value);

    public void Long(long value) => BinaryPrimitives.WriteInt64BigEndian(Take(8), value);

    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    public void Utf8(ReadOnlySpan<char> text)
    {
        var room = Take(Encoding.UTF8.GetMaxByteCount(text.Length));
        Length -= room.Length - Encoding.UTF8.GetBytes(text, room);
    }

    /// <summary>[string]: a short length, then UTF-8.</summary>
    public void String(ReadOnlySpan<char> text)
    {
        Short(Encoding.UTF8.GetByteCount(text));
        Utf8(text);
    }

    /// <summary>[long string]: an int length, then UTF-8.</summary>
    public void LongString(ReadOnlySpan<char> text)
    {
        var at = BeginLength();
        Utf8(text);
        EndLength(at);
    }

    /// <summary>[short bytes].</summary>
    public void ShortBytes(ReadOnlySpan<byte> bytes)
    {
        Short(bytes.Length);
        Raw(bytes);
    }

    /// <summary>[bytes].</summary>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Int(bytes.Length);
        Raw(bytes);
    }

    /// <summary>[inet]: the address's size and bytes, then the port.</summary>
    public void Inet(IPEndPoint endPoint)
    {
        var address = endPoint.Address.GetAddressBytes();
        Byte((byte)address.Length);
        Raw(address);
        Int(endPoint.Port);
    }

    /// <summary>Leaves room for the int length of what follows; <see cref="EndLength"/> fills it in.</summary>
    public int BeginLength()
    {
        Take(4);
        return Length;
    }

    public void EndLength(int start) =>
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(start - 4, 4), Length - start);

    /// <summary>Bytes that were taken before, to be filled now.</summary>
    public Span<byte> Rewrite(int start, int count) => _bytes.AsSpan(0, Length).Slice(start, count);

    private void Grow(int count)
    {
        var needed = checked(Length + count);
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(needed, _bytes.Length * 2L)));
    }
}
