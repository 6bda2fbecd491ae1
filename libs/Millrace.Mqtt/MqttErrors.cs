using Millrace.Primitives;

namespace Millrace.Mqtt;

/// <summary>
/// How clients break the protocol, as users meet it in logs; each has a page of its code under docs/errors.
/// </summary>
public static class MqttErrors
{
    public static readonly ErrorDefinition Malformed = new("MQ-0001",
        "A packet is malformed.",
        "Its bytes cannot be read by the specification.",
        "Repair the client, or see that nothing but MQTT is sent to this port.");

    public static readonly ErrorDefinition Protocol = new("MQ-0002",
        "A packet breaks the protocol.",
        "It can be read, but may not be sent, or not now, or not with this value.",
        "Repair the client; the reason names the rule.");

    public static readonly ErrorDefinition TooLarge = new("MQ-0003",
        "A packet is too large.",
        "It is larger than the maximum packet size that the server announces.",
        "Send smaller messages, or raise Gateway:PacketBytesMax.");

    public static readonly ErrorDefinition ReceiveMaximum = new("MQ-0004",
        "More publishes are in flight than may be.",
        "The client sent QoS 1 and 2 publishes beyond the receive maximum that the server announces.",
        "Let the client heed the receive maximum, or raise Gateway:InFlightMax.");

    public static readonly ErrorDefinition NotSupported = new("MQ-0005",
        "A packet asks for what the server does not have.",
        "RETAIN and enhanced authentication are not available.",
        "Publish without RETAIN, and use a key, a token or a certificate.");

    public static readonly ErrorDefinition Version = new("MQ-0006",
        "The client speaks another protocol.",
        "The server speaks MQTT 3.1.1 and MQTT 5.0.",
        "Set the client to one of them.");

    public static ErrorDefinition Of(PacketDefect defect) => defect.Reason() switch
    {
        ReasonCode.MalformedPacket => Malformed,
        ReasonCode.PacketTooLarge => TooLarge,
        ReasonCode.ReceiveMaximumExceeded => ReceiveMaximum,
        ReasonCode.UnsupportedProtocolVersion => Version,
        ReasonCode.RetainNotSupported or ReasonCode.BadAuthenticationMethod => NotSupported,
        _ => Protocol,
    };
}
