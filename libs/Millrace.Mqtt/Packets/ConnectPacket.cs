using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Packets;

/// <summary>CONNECT (MQTT 5 §3.1).</summary>
public readonly ref struct ConnectPacket
{
    private const int UserNameFlag = 0x80;
    private const int PasswordFlag = 0x40;
    private const int WillRetainFlag = 0x20;
    private const int WillQosBits = 0x18;
    private const int WillFlag = 0x04;
    private const int CleanStartFlag = 0x02;
    private const int ReservedFlag = 0x01;

    private static ReadOnlySpan<byte> ProtocolName => "MQTT"u8;

    /// <summary>The protocol of 3.1, before it was a standard.</summary>
    private static ReadOnlySpan<byte> OldProtocolName => "MQIsdp"u8;

    public MqttVersion Version { get; init; }
    public bool CleanStart { get; init; }
    public ushort KeepAliveSeconds { get; init; }
    public PropertySet Properties { get; init; }
    public ReadOnlySpan<byte> ClientId { get; init; }
    public bool HasWill { get; init; }
    public int WillQos { get; init; }
    public bool WillRetain { get; init; }
    public PropertySet WillProperties { get; init; }
    public ReadOnlySpan<byte> WillTopic { get; init; }
    public ReadOnlySpan<byte> WillPayload { get; init; }
    public bool HasUserName { get; init; }
    public ReadOnlySpan<byte> UserName { get; init; }
    public bool HasPassword { get; init; }
    public ReadOnlySpan<byte> Password { get; init; }

    /// <summary>
    /// After a defect, <see cref="Version"/> alone is set, as far as it was read: it shapes the answer.
    /// </summary>
    public static PacketDefect TryRead(ReadOnlySpan<byte> body, out ConnectPacket packet)
    {
        packet = default;
        var reader = new PacketReader(body);
        var name = reader.ReadBinary();
        var level = reader.ReadByte();
        if (reader.Defect != PacketDefect.None) return reader.Defect;
        if (name.SequenceEqual(OldProtocolName)) return PacketDefect.VersionUnsupported;
        if (!name.SequenceEqual(ProtocolName)) return PacketDefect.ProtocolNameUnknown;
        if (level is not ((byte)MqttVersion.V311 or (byte)MqttVersion.V5)) return PacketDefect.VersionUnsupported;
        packet = new ConnectPacket { Version = (MqttVersion)level };
        var read = ReadRest(ref reader, (MqttVersion)level, out var whole);
        if (read == PacketDefect.None) packet = whole;
        return read;
    }

    private static PacketDefect ReadRest(scoped ref PacketReader reader, MqttVersion version, out ConnectPacket packet)
    {
        var v5 = version == MqttVersion.V5;
        var flags = reader.ReadByte();
        packet = default;
        if (!FlagsAreLegal(flags, v5)) return reader.Fail(PacketDefect.ConnectFlagsInvalid);
        var hasWill = (flags & WillFlag) != 0;
        var keepAlive = reader.ReadUInt16();
        var properties = v5 ? PropertySet.Read(ref reader, PropertyPlaces.Connect) : default;
        var clientId = reader.ReadText();
        var willProperties = v5 && hasWill ? PropertySet.Read(ref reader, PropertyPlaces.Will) : default;
        var willTopic = hasWill ? reader.ReadText() : default;
        var willPayload = hasWill ? reader.ReadBinary() : default;
        var userName = (flags & UserNameFlag) != 0 ? reader.ReadText() : default;
        var password = (flags & PasswordFlag) != 0 ? reader.ReadBinary() : default;
        var defect = reader.End();
        if (defect == PacketDefect.None && hasWill) defect = TopicName.Check(willTopic);
        if (defect != PacketDefect.None) return defect;
        packet = new ConnectPacket
        {
            Version = version,
            CleanStart = (flags & CleanStartFlag) != 0,
            KeepAliveSeconds = keepAlive,
            Properties = properties,
            ClientId = clientId,
            HasWill = hasWill,
            WillQos = (flags & WillQosBits) >> 3,
            WillRetain = (flags & WillRetainFlag) != 0,
            WillProperties = willProperties,
            WillTopic = willTopic,
            WillPayload = willPayload,
            HasUserName = (flags & UserNameFlag) != 0,
            UserName = userName,
            HasPassword = (flags & PasswordFlag) != 0,
            Password = password,
        };
        return PacketDefect.None;
    }

    /// <summary>The size of the body that <see cref="Write"/> makes.</summary>
    internal int Measure()
    {
        var bytes = 2 + ProtocolName.Length + 1 + 1 + 2 + 2 + ClientId.Length;
        bytes += PacketWriter.SizeOf(Properties, Version);
        if (HasWill) bytes += PacketWriter.SizeOf(WillProperties, Version);
        if (HasWill) bytes += 2 + WillTopic.Length + 2 + WillPayload.Length;
        if (HasUserName) bytes += 2 + UserName.Length;
        if (HasPassword) bytes += 2 + Password.Length;
        return bytes;
    }

    internal void Write(scoped ref FieldWriter target)
    {
        target.Binary(ProtocolName);
        target.Byte((byte)Version);
        target.Byte(Flags());
        target.UInt16(KeepAliveSeconds);
        if (Version == MqttVersion.V5) PacketWriter.WriteProperties(ref target, Properties);
        target.Binary(ClientId);
        if (HasWill)
        {
            if (Version == MqttVersion.V5) PacketWriter.WriteProperties(ref target, WillProperties);
            target.Binary(WillTopic);
            target.Binary(WillPayload);
        }

        if (HasUserName) target.Binary(UserName);
        if (HasPassword) target.Binary(Password);
    }

    private byte Flags()
    {
        var flags = CleanStart ? CleanStartFlag : 0;
        if (HasWill) flags |= WillFlag | (WillQos << 3) | (WillRetain ? WillRetainFlag : 0);
        if (HasUserName) flags |= UserNameFlag;
        if (HasPassword) flags |= PasswordFlag;
        return (byte)flags;
    }

    private static bool FlagsAreLegal(int flags, bool v5)
    {
        if ((flags & ReservedFlag) != 0) return false;
        if ((flags & WillQosBits) == WillQosBits) return false;
        if ((flags & WillFlag) == 0 && (flags & (WillQosBits | WillRetainFlag)) != 0) return false;
        return v5 || (flags & PasswordFlag) == 0 || (flags & UserNameFlag) != 0;
    }
}
