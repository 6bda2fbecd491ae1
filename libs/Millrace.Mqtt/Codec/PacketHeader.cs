namespace Millrace.Mqtt.Codec;

/// <summary>A packet's fixed header (MQTT 5 §2.1).</summary>
/// <param name="First">Type and flags.</param>
/// <param name="HeaderBytes">2 to 5.</param>
/// <param name="BodyBytes">The remaining length.</param>
public readonly record struct PacketHeader(byte First, int HeaderBytes, int BodyBytes)
{
    public PacketType Type => (PacketType)(First >> 4);

    public int Flags => First & 0x0f;

    public int TotalBytes => HeaderBytes + BodyBytes;

    /// <summary>
    /// Reads the fixed header at the start of <paramref name="bytes"/>. False with no defect: it needs more bytes.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out PacketHeader header, out PacketDefect defect)
    {
        header = default;
        defect = PacketDefect.None;
        if (bytes.Length < 2) return false;
        if (!FlagsAreLegal(bytes[0]))
        {
            defect = PacketDefect.HeaderInvalid;
            return false;
        }

        var read = VarInt.Read(bytes[1..], out var length);
        if (read < 0) defect = PacketDefect.LengthInvalid;
        if (read <= 0) return false;
        header = new PacketHeader(bytes[0], 1 + read, length);
        return true;
    }

    /// <summary>
    /// PUBLISH uses the flags, with no QoS 3, and no DUP without a QoS (§3.3.1); PUBREL, SUBSCRIBE and UNSUBSCRIBE have
    /// 0010, all others 0000 (§2.1.3).
    /// </summary>
    private static bool FlagsAreLegal(byte first) => (PacketType)(first >> 4) switch
    {
        0 => false,
        PacketType.Publish => (first & 0b0110) != 0b0110 && (first & 0b1110) != 0b1000,
        PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe => (first & 0x0f) == 0b0010,
        _ => (first & 0x0f) == 0,
    };
}
