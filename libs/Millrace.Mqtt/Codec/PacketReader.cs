using System.Buffers.Binary;
using System.Text.Unicode;

namespace Millrace.Mqtt.Codec;

/// <summary>
/// Reads the fields of one packet's body. After the first field that does not fit, <see cref="Defect"/> says so and
/// all further fields are empty; nothing is ever read beyond the body.
/// </summary>
public ref struct PacketReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public PacketDefect Defect { get; private set; }

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Notes a defect that the caller found; the first one stays.</summary>
    public PacketDefect Fail(PacketDefect defect)
    {
        if (Defect == PacketDefect.None) Defect = defect;
        _rest = default;
        return Defect;
    }

    public byte ReadByte()
    {
        var field = Take(1);
        return field.IsEmpty ? (byte)0 : field[0];
    }

    public ushort ReadUInt16()
    {
        var field = Take(2);
        return field.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(field);
    }

    public uint ReadUInt32()
    {
        var field = Take(4);
        return field.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(field);
    }

    public int ReadVarInt()
    {
        var read = VarInt.Read(_rest, out var value);
        if (read > 0)
        {
            _rest = _rest[read..];
            return value;
        }

        Fail(read == 0 ? PacketDefect.Truncated : PacketDefect.LengthInvalid);
        return 0;
    }

    /// <summary>Two bytes of length, then as many bytes (§1.5.6).</summary>
    public ReadOnlySpan<byte> ReadBinary() => Take(ReadUInt16());

    /// <summary>The same, checked to be text: UTF-8 without U+0000 (§1.5.4).</summary>
    public ReadOnlySpan<byte> ReadText()
    {
        var text = ReadBinary();
        if (Utf8.IsValid(text) && !text.Contains((byte)0)) return text;
        Fail(PacketDefect.Utf8Invalid);
        return default;
    }

    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    public ReadOnlySpan<byte> ReadToEnd()
    {
        var all = _rest;
        _rest = default;
        return all;
    }

    /// <summary>What was found wrong, bytes after the last field included.</summary>
    public PacketDefect End() => _rest.IsEmpty ? Defect : Fail(PacketDefect.TrailingBytes);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            Fail(PacketDefect.Truncated);
            return default;
        }

        var field = _rest[..count];
        _rest = _rest[count..];
        return field;
    }
}
