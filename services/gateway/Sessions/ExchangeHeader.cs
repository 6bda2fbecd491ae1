using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// The header mqtt-exchange: the exchange's number, a colon, and the packet identifier, both decimal.
/// </summary>
internal static class ExchangeHeader
{
    public const int BytesMax = 26;

    /// <summary>Writes the header's value, and returns its length.</summary>
    public static int Write(Span<byte> target, long exchange, ushort packetId)
    {
        Utf8Formatter.TryFormat(exchange, target, out var digits);
        target[digits++] = (byte)':';
        Utf8Formatter.TryFormat(packetId, target[digits..], out var rest);
        return digits + rest;
    }

    /// <summary>The exchanges of a session among these records.</summary>
    public static List<(ushort PacketId, long Exchange)> In(RecordBatch batch, string sessionId)
    {
        var found = new List<(ushort, long)>();
        var id = Encoding.UTF8.GetBytes(sessionId);
        foreach (var record in batch)
        {
            if (!record.TryGetHeader(TelemetryHeaders.MqttSession, out var session) || !session.SequenceEqual(id))
                continue;
            if (record.TryGetHeader(TelemetryHeaders.MqttExchange, out var value) && TryRead(value, out var exchange))
                found.Add(exchange);
        }

        return found;
    }

    public static bool TryRead(ReadOnlySpan<byte> value, out (ushort PacketId, long Exchange) read)
    {
        read = default;
        if (!Utf8Parser.TryParse(value, out long exchange, out var digits)) return false;
        if (digits >= value.Length || value[digits] != ':') return false;
        if (!Utf8Parser.TryParse(value[(digits + 1)..], out ushort packetId, out var rest)) return false;
        read = (packetId, exchange);
        return digits + 1 + rest == value.Length;
    }
}
