namespace Millrace.Mqtt;

/// <summary>Which reason codes each packet may carry, by its section of MQTT 5.</summary>
public static class PacketReasons
{
    // §3.2.2.2
    private static ReadOnlySpan<byte> ConnAck =>
    [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
        0x9B, 0x9C, 0x9D, 0x9F,
    ];

    // §3.14.2.1; 0x8C stands in §2.4 alone.
    private static ReadOnlySpan<byte> Disconnect =>
    [
        0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
        0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ];

    // §3.4.2.1, §3.5.2.1
    private static ReadOnlySpan<byte> Publish => [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

    // §3.6.2.1, §3.7.2.1
    private static ReadOnlySpan<byte> Release => [0x00, 0x92];

    // §3.9.3
    private static ReadOnlySpan<byte> SubAck =>
        [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2];

    // §3.11.3
    private static ReadOnlySpan<byte> UnsubAck => [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91];

    // §3.15.2.1
    private static ReadOnlySpan<byte> Auth => [0x00, 0x18, 0x19];

    public static bool MayCarry(this PacketType type, ReasonCode reason) => Of(type).Contains((byte)reason);

    /// <summary>The reason itself, or what the packet may carry that comes nearest to it.</summary>
    public static ReasonCode Nearest(this PacketType type, ReasonCode reason)
    {
        if (type.MayCarry(reason)) return reason;
        var nearest = reason switch
        {
            ReasonCode.ServerUnavailable => ReasonCode.ServerBusy,
            ReasonCode.ServerShuttingDown => ReasonCode.ServerUnavailable,
            ReasonCode.AdministrativeAction or ReasonCode.MaximumConnectTime or ReasonCode.BadUserNameOrPassword
                or ReasonCode.Banned => ReasonCode.NotAuthorized,
            ReasonCode.BadAuthenticationMethod or ReasonCode.UnsupportedProtocolVersion
                or ReasonCode.ClientIdentifierNotValid or ReasonCode.ReceiveMaximumExceeded
                or ReasonCode.TopicAliasInvalid => ReasonCode.ProtocolError,
            ReasonCode.MessageRateTooHigh => ReasonCode.QuotaExceeded,
            _ => ReasonCode.UnspecifiedError,
        };
        return type.MayCarry(nearest) ? nearest : ReasonCode.UnspecifiedError;
    }

    private static ReadOnlySpan<byte> Of(PacketType type) => type switch
    {
        PacketType.ConnAck => ConnAck,
        PacketType.Disconnect => Disconnect,
        PacketType.PubAck or PacketType.PubRec => Publish,
        PacketType.PubRel or PacketType.PubComp => Release,
        PacketType.SubAck => SubAck,
        PacketType.UnsubAck => UnsubAck,
        PacketType.Auth => Auth,
        _ => [],
    };
}
