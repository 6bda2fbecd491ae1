namespace Millrace.Gateway.Topics;

/// <summary>What tells a QoS 2 publish from every other; none for any other publish.</summary>
internal readonly ref struct ExchangeStamp(ReadOnlySpan<byte> session, long number, ushort packetId)
{
    public ReadOnlySpan<byte> Session { get; } = session;

    public long Number { get; } = number;

    public ushort PacketId { get; } = packetId;
}
