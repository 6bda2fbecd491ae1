namespace Millrace.Mqtt;

/// <summary>
/// What is wrong with a packet. Metrics and logs name it; <see cref="PacketDefects.Reason"/> goes on the wire.
/// </summary>
public enum PacketDefect : byte
{
    None = 0,

    /// <summary>The remaining length has more than four bytes, or more than it needs (§1.5.5).</summary>
    LengthInvalid,

    /// <summary>Packet type 0, or fixed-header flags other than the reserved ones (§2.1.3).</summary>
    HeaderInvalid,

    /// <summary>The packet is larger than was announced as the maximum (§3.1.2.11.4).</summary>
    TooLarge,

    /// <summary>A field reaches beyond the end of the packet.</summary>
    Truncated,

    /// <summary>Bytes are left after the last field.</summary>
    TrailingBytes,

    /// <summary>Text that is not UTF-8, or holds U+0000 (§1.5.4).</summary>
    Utf8Invalid,

    /// <summary>CONNECT with another protocol name than MQTT.</summary>
    ProtocolNameUnknown,

    /// <summary>CONNECT with a level that is not spoken here.</summary>
    VersionUnsupported,

    /// <summary>CONNECT flags that contradict one another, or a reserved one that is set (§3.1.2.3).</summary>
    ConnectFlagsInvalid,

    /// <summary>A topic name with wildcards (§3.3.2.1).</summary>
    TopicInvalid,

    /// <summary>An empty topic name without an alias (§3.3.2.1, §4.7.3).</summary>
    TopicMissing,

    /// <summary>Packet identifier 0 where one is needed (§2.2.1).</summary>
    PacketIdZero,

    /// <summary>QoS 3.</summary>
    QosInvalid,

    /// <summary>Reserved bits of subscription options that are set (§3.8.3.1).</summary>
    SubscriptionOptionsReserved,

    /// <summary>A subscription with QoS 3 or retain handling 3 (§3.8.3.1).</summary>
    SubscriptionOptionOutOfRange,

    /// <summary>An empty topic filter (§4.7.3).</summary>
    FilterEmpty,

    /// <summary>No Local with a shared subscription (§3.8.3.1).</summary>
    NoLocalWithShared,

    /// <summary>SUBSCRIBE or UNSUBSCRIBE without a topic filter (§3.8.3, §3.10.3).</summary>
    FiltersMissing,

    /// <summary>A property of no known identifier, or one that this packet cannot have (§2.2.2.2).</summary>
    PropertyUnknown,

    /// <summary>A property that may stand once and stands twice.</summary>
    PropertyRepeated,

    /// <summary>A property with a value that it cannot have.</summary>
    PropertyValueInvalid,

    /// <summary>
    /// A first packet that is not CONNECT, a second CONNECT, or a packet that only a server sends (§3.1).
    /// </summary>
    PacketUnexpected,

    /// <summary>More unacknowledged publishes than the receive maximum (§3.3.4).</summary>
    ReceiveMaximumExceeded,

    /// <summary>Topic alias 0, above the maximum, or never set (§3.3.2.3.4).</summary>
    TopicAliasInvalid,

    /// <summary>PUBREL of a publish that PUBREC has not answered yet (§4.3.3).</summary>
    ReleaseTooEarly,

    /// <summary>An acknowledgement of another kind than the QoS of the publish asks for (§4.3).</summary>
    AcknowledgementMismatch,

    /// <summary>RETAIN, which was announced as not available (§3.2.2.3.5).</summary>
    RetainNotSupported,

    /// <summary>An authentication method, of which the server has none (§4.12).</summary>
    AuthenticationMethodUnknown,

    /// <summary>An empty client identifier with a session to keep (3.1.1 §3.1.3.1).</summary>
    ClientIdMissing,
}

public static class PacketDefects
{
    /// <summary>The reason code that MQTT 5 §4.13 asks for.</summary>
    public static ReasonCode Reason(this PacketDefect defect) => defect switch
    {
        PacketDefect.None => ReasonCode.Success,
        PacketDefect.TooLarge => ReasonCode.PacketTooLarge,
        PacketDefect.ProtocolNameUnknown or PacketDefect.VersionUnsupported => ReasonCode.UnsupportedProtocolVersion,
        PacketDefect.PacketIdZero or PacketDefect.FiltersMissing or PacketDefect.PropertyRepeated
            or PacketDefect.PropertyValueInvalid or PacketDefect.PacketUnexpected or PacketDefect.ReleaseTooEarly
            or PacketDefect.AcknowledgementMismatch or PacketDefect.NoLocalWithShared or PacketDefect.TopicMissing
            or PacketDefect.SubscriptionOptionOutOfRange or PacketDefect.FilterEmpty => ReasonCode.ProtocolError,
        PacketDefect.ReceiveMaximumExceeded => ReasonCode.ReceiveMaximumExceeded,
        PacketDefect.TopicAliasInvalid => ReasonCode.TopicAliasInvalid,
        PacketDefect.RetainNotSupported => ReasonCode.RetainNotSupported,
        PacketDefect.AuthenticationMethodUnknown => ReasonCode.BadAuthenticationMethod,
        PacketDefect.ClientIdMissing => ReasonCode.ClientIdentifierNotValid,
        _ => ReasonCode.MalformedPacket,
    };
}
