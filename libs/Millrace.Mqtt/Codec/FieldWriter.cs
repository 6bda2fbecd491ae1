using System.Buffers.Binary;

namespace Millrace.Mqtt.Codec;

/// <summary>Writes fields into a span that was measured before: running over its end is a bug and throws.</summary>
public ref struct FieldWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    public int Written { get; private set; }

    public void Byte(byte value) => Take(1)[0] = value;

    public void UInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), checked((ushort)value));

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void VarInt(int value) => Written += Codec.VarInt.Write(_target[Written..], value);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Two bytes of length, then the bytes: text and binary data.</summary>
    public void Binary(ReadOnlySpan<byte> value)
    {
        UInt16(value.Length);
        Bytes(value);
    }

    private Span<byte> Take(int count)
    {
        var field = _target.Slice(Written, count);
        Written += count;
        return field;
    }
}
