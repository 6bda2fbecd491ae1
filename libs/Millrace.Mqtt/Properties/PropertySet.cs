using Millrace.Mqtt.Codec;

namespace Millrace.Mqtt.Properties;

/// <summary>
/// The properties of a packet (MQTT 5 §2.2.2) as they stand in it: checked when the packet was read, walked without
/// allocating. MQTT 3.1.1 has none.
/// </summary>
public readonly ref struct PropertySet
{
    /// <summary>
    /// The encoded properties, without the length before them. Not checked: for what one has built oneself.
    /// </summary>
    public PropertySet(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    public ReadOnlySpan<byte> Bytes { get; }

    public bool IsEmpty => Bytes.IsEmpty;

    public Enumerator GetEnumerator() => new(Bytes);

    /// <summary>The first property of this identifier.</summary>
    public bool TryFind(PropertyId id, out Property property)
    {
        foreach (var each in this)
        {
            if (each.Id != id) continue;
            property = each;
            return true;
        }

        property = default;
        return false;
    }

    /// <summary>The number that a property has, or what stands for its absence.</summary>
    public uint Number(PropertyId id, uint absent) => TryFind(id, out var property) ? property.Number : absent;

    /// <summary>Reads length and properties; each must be known, allowed in this place, and not repeated.</summary>
    internal static PropertySet Read(scoped ref PacketReader packet, PropertyPlaces place)
    {
        var length = packet.ReadVarInt();
        if (length == 0) return default;
        var bytes = packet.ReadBytes(length);
        var defect = Check(bytes, place);
        if (defect == PacketDefect.None) return new PropertySet(bytes);
        packet.Fail(defect);
        return default;
    }

    private static PacketDefect Check(ReadOnlySpan<byte> bytes, PropertyPlaces place)
    {
        var reader = new PacketReader(bytes);
        var seen = 0UL;
        while (!reader.IsAtEnd)
        {
            var id = (PropertyId)reader.ReadByte();
            if (!PropertyRules.MayStandIn(id, place)) return PacketDefect.PropertyUnknown;
            var bit = 1UL << (int)id;
            if ((seen & bit) != 0 && !PropertyRules.MayRepeat(id, place)) return PacketDefect.PropertyRepeated;
            seen |= bit;
            var property = Property.Read(id, ref reader);
            if (reader.Defect != PacketDefect.None) return reader.Defect;
            var defect = PropertyRules.CheckNumber(id, property.Number);
            if (defect != PacketDefect.None) return defect;
            if (id == PropertyId.ResponseTopic && !TopicName.IsValid(property.Value))
                return PacketDefect.PropertyValueInvalid;
        }

        return reader.Defect;
    }

    public ref struct Enumerator(ReadOnlySpan<byte> bytes)
    {
        private PacketReader _reader = new(bytes);

        public Property Current { get; private set; }

        public bool MoveNext()
        {
            if (_reader.IsAtEnd) return false;
            Current = Property.Read((PropertyId)_reader.ReadByte(), ref _reader);
            return _reader.Defect == PacketDefect.None;
        }
    }
}

/// <summary>One property: a number, or bytes, or a pair of texts.</summary>
public readonly ref struct Property
{
    public PropertyId Id { get; private init; }

    /// <summary>The value of a numeric property.</summary>
    public uint Number { get; private init; }

    /// <summary>The name of a user property.</summary>
    public ReadOnlySpan<byte> Name { get; private init; }

    /// <summary>The value of a property that is text, binary data or a user property.</summary>
    public ReadOnlySpan<byte> Value { get; private init; }

    internal static Property Read(PropertyId id, scoped ref PacketReader reader)
    {
        switch (PropertyRules.KindOf(id))
        {
            case PropertyKind.Byte: return new Property { Id = id, Number = reader.ReadByte() };
            case PropertyKind.UInt16: return new Property { Id = id, Number = reader.ReadUInt16() };
            case PropertyKind.UInt32: return new Property { Id = id, Number = reader.ReadUInt32() };
            case PropertyKind.VarInt: return new Property { Id = id, Number = (uint)reader.ReadVarInt() };
            case PropertyKind.Binary: return new Property { Id = id, Value = reader.ReadBinary() };
            case PropertyKind.Text: return new Property { Id = id, Value = reader.ReadText() };
            case PropertyKind.TextPair:
                var name = reader.ReadText();
                return new Property { Id = id, Name = name, Value = reader.ReadText() };
            default:
                reader.Fail(PacketDefect.PropertyUnknown);
                return default;
        }
    }
}
