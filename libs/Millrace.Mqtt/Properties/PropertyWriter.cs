using Millrace.Mqtt.Codec;

namespace Millrace.Mqtt.Properties;

/// <summary>Encodes properties, without the length before them, into a span of the caller's.</summary>
public ref struct PropertyWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;
    private FieldWriter _fields = new(target);

    public readonly ReadOnlySpan<byte> Written => _target[.._fields.Written];

    public void Number(PropertyId id, uint value)
    {
        _fields.Byte((byte)id);
        switch (PropertyRules.KindOf(id))
        {
            case PropertyKind.Byte: _fields.Byte(checked((byte)value)); break;
            case PropertyKind.UInt16: _fields.UInt16(checked((ushort)value)); break;
            case PropertyKind.UInt32: _fields.UInt32(value); break;
            case PropertyKind.VarInt: _fields.VarInt(checked((int)value)); break;
            default: throw new ArgumentOutOfRangeException(nameof(id), id, "Not a numeric property.");
        }
    }

    /// <summary>Text or binary data.</summary>
    public void Bytes(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (PropertyRules.KindOf(id) is not (PropertyKind.Binary or PropertyKind.Text))
            throw new ArgumentOutOfRangeException(nameof(id), id, "Not a property of text or binary data.");
        _fields.Byte((byte)id);
        _fields.Binary(value);
    }

    public void User(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _fields.Byte((byte)PropertyId.UserProperty);
        _fields.Binary(name);
        _fields.Binary(value);
    }
}
