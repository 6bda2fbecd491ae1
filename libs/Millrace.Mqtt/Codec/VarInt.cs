namespace Millrace.Mqtt.Codec;

/// <summary>Variable byte integers: seven bits a byte, least first, one to four bytes (MQTT 5 §1.5.5).</summary>
public static class VarInt
{
    public const int Max = 268_435_455;

    private const int BytesMax = 4;

    /// <summary>How many bytes were read; 0 when there are too few; -1 when it is no legal encoding.</summary>
    public static int Read(ReadOnlySpan<byte> bytes, out int value)
    {
        value = 0;
        for (var i = 0; i < BytesMax; i++)
        {
            if (i >= bytes.Length) return 0;
            value |= (bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80) continue;
            var needless = i > 0 && bytes[i] == 0;
            return needless ? -1 : i + 1;
        }

        return -1;
    }

    public static int Size(int value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => BytesMax,
    };

    /// <summary>Writes and returns how many bytes it took.</summary>
    public static int Write(Span<byte> target, int value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, (uint)Max, nameof(value));
        var written = 0;
        while (value >= 0x80)
        {
            target[written++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[written++] = (byte)value;
        return written;
    }
}
