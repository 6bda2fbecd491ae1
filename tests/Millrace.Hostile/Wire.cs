using System.Text;

namespace Millrace.Hostile;

/// <summary>Packets by hand: an encoder with rules could not write what breaks them.</summary>
public static class Wire
{
    public static readonly byte[] Ping = [0xC0, 0];

    public static byte[] Packet(int first, params byte[][] fields)
    {
        byte[] body = [.. fields.SelectMany(field => field)];
        return [(byte)first, .. VarInt(body.Length), .. body];
    }

    public static byte[] Text(string text) => Binary(Encoding.UTF8.GetBytes(text));

    public static byte[] Binary(byte[] bytes) => [.. UInt16(bytes.Length), .. bytes];

    public static byte[] UInt16(int value) => [(byte)(value >> 8), (byte)value];

    public static byte[] VarInt(int value)
    {
        var bytes = new List<byte>();
        do
        {
            bytes.Add((byte)((value & 0x7f) | (value > 0x7f ? 0x80 : 0)));
            value >>= 7;
        }
        while (value > 0);
        return [.. bytes];
    }

    /// <param name="level">5, or 4 for MQTT 3.1.1.</param>
    public static byte[] Connect(
        string device, string password, int level = 5, int keepAlive = 0, string? clientId = null) =>
        Packet(0x10, Text("MQTT"), [(byte)level, 0xC2], UInt16(keepAlive), level == 5 ? [0] : [],
            Text(clientId ?? device), Text(device), Text(password));

    public static byte[] Publish(
        string topic, int packetId, byte[] body, int qos = 1, byte[]? properties = null, int level = 5) =>
        Packet(0x30 | (qos << 1), Text(topic), qos == 0 ? [] : UInt16(packetId),
            level == 5 ? [.. VarInt(properties?.Length ?? 0), .. properties ?? []] : [], body);
}
