using System.Buffers;

namespace Millrace.Mqtt;

/// <summary>Topic names: what messages are published to (MQTT 5 §4.7).</summary>
public static class TopicName
{
    private static readonly SearchValues<byte> Forbidden = SearchValues.Create("+#\0"u8);

    /// <summary>At least one byte, no wildcard. Whether it is UTF-8 was checked when it was read.</summary>
    public static bool IsValid(ReadOnlySpan<byte> topic) => Check(topic) == PacketDefect.None;

    internal static PacketDefect Check(ReadOnlySpan<byte> topic)
    {
        if (topic.IsEmpty) return PacketDefect.TopicMissing;
        return topic.ContainsAny(Forbidden) ? PacketDefect.TopicInvalid : PacketDefect.None;
    }
}
