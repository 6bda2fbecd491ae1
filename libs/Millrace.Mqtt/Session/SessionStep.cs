using Millrace.Mqtt.Packets;

namespace Millrace.Mqtt.Session;

public enum SessionState : byte
{
    AwaitingConnect,

    /// <summary>CONNECT was read; the server accepts or refuses it before it feeds another packet.</summary>
    Authenticating,
    Connected,

    /// <summary>Nothing more is read.</summary>
    Closed,
}

/// <summary>What the server has to do after a packet.</summary>
public enum SessionStepKind : byte
{
    /// <summary>Nothing.</summary>
    Continue,

    /// <summary>Authenticate <see cref="MqttSession.Request"/>, then accept or refuse.</summary>
    Authenticate,

    /// <summary>
    /// Take <see cref="SessionStep.Publish"/>; a QoS 1 one goes into <see cref="MqttSession.Acks"/>, a QoS 2 one into
    /// <see cref="MqttSession.Exchanges"/> as well.
    /// </summary>
    Publish,

    /// <summary>
    /// A QoS 2 publish that is open came again. It is not to be taken; <see cref="MqttSession.Repeat"/> answers it when
    /// all that came before it is in <see cref="MqttSession.Acks"/>.
    /// </summary>
    Repeat,

    /// <summary>
    /// PUBREL: answer <see cref="SessionStep.PacketId"/> with PUBCOMP and <see cref="SessionStep.Reason"/>, after the
    /// release is as durable as the session.
    /// </summary>
    Release,

    /// <summary>
    /// The client has acknowledged a message: <see cref="SessionStep.Acknowledgement"/>, PacketId and Reason say how.
    /// </summary>
    Delivered,

    /// <summary>
    /// 3.1.1 only: as many publishes are unacknowledged as may be. Feed this packet again when there are fewer.
    /// </summary>
    Wait,

    /// <summary>Answer <see cref="SessionStep.Subscribe"/>.</summary>
    Subscribe,

    /// <summary>Answer <see cref="SessionStep.Unsubscribe"/>.</summary>
    Unsubscribe,

    /// <summary>Answer a PINGREQ.</summary>
    Ping,

    /// <summary>
    /// The client says good-bye. <see cref="MqttSession.Will"/> is null unless it is to be published.
    /// </summary>
    Goodbye,

    /// <summary>The packet broke the rules: say <see cref="SessionStep.Defect"/>'s reason and close.</summary>
    Close,
}

/// <summary>The effect of one packet. Spans within it point into the packet's bytes.</summary>
public ref struct SessionStep
{
    public SessionStepKind Kind { get; internal set; }

    public PacketDefect Defect { get; internal set; }

    /// <summary>With its topic alias resolved.</summary>
    public PublishPacket Publish { get; internal set; }

    public SubscribePacket Subscribe { get; internal set; }

    public UnsubscribePacket Unsubscribe { get; internal set; }

    /// <summary>PUBACK, PUBREC or PUBCOMP.</summary>
    public PacketType Acknowledgement { get; internal set; }

    public ushort PacketId { get; internal set; }

    public ReasonCode Reason { get; internal set; }
}
