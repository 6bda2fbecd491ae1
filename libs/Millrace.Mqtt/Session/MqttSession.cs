using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

/// <summary>
/// The server's side of one MQTT connection as a state machine: packets go in, effects come out. It has no socket,
/// clock or log; the shell reads, authenticates, stores and writes, and feeds one packet at a time.
/// </summary>
public sealed partial class MqttSession(SessionLimits limits)
{
    private TopicAliases? _aliases;
    private AckWindow? _acks;
    private uint _expiryAskedSeconds;
    private uint _clientPacketBytesMax = uint.MaxValue;
    private bool _saysReasons = true;

    public SessionState State { get; private set; }

    /// <summary>
    /// What is granted: set again when it is known who connects, before <see cref="Accept"/> announces it.
    /// </summary>
    public SessionLimits Limits { get => limits; set => limits = value; }

    /// <summary>Known once CONNECT was read as far as its level.</summary>
    public MqttVersion Version { get; private set; }

    /// <summary>What the client asks for, from Authenticate until it was accepted or refused.</summary>
    public ConnectRequest? Request { get; private set; }

    /// <summary>What to publish at an end without a good-bye.</summary>
    public WillMessage? Will { get; private set; }

    /// <summary>
    /// The keep-alive that holds; 0 for none. The shell closes after one and a half times it in silence.
    /// </summary>
    public int KeepAliveSeconds { get; private set; }

    /// <summary>
    /// How long the session outlives the connection: what was granted, or what the client said at its end.
    /// </summary>
    public uint ExpirySeconds { get; private set; }

    /// <summary>Messages to the client that may be unacknowledged.</summary>
    public int OutboundMax { get; private set; }

    /// <summary>Of a session that goes on; otherwise made with the first QoS 2 publish.</summary>
    public ExchangeTable? Exchanges { get; set; }

    /// <summary>Made with the first QoS 1 or 2 publish: an idle connection has none.</summary>
    public AckWindow Acks => _acks ??= new AckWindow(limits.InFlightMax);

    /// <summary>The publishes that count against the receive maximum now.</summary>
    public long InFlight => _acks is { } acks ? InFlightOf(acks) : 0;

    /// <summary>The window if there is one.</summary>
    public AckWindow? AcksOrNull => Volatile.Read(ref _acks);

    /// <summary>Takes one packet and says what to do. After the end there is nothing to do.</summary>
    public void Feed(PacketHeader header, ReadOnlySpan<byte> body, out SessionStep step)
    {
        step = default;
        if (State == SessionState.Connected)
        {
            if (header.Type == PacketType.Publish) FeedPublish(header, body, ref step);
            else FeedOther(header, body, ref step);
        }
        else if (State == SessionState.AwaitingConnect) FeedConnect(header, body, ref step);
        else if (State == SessionState.Authenticating)
            throw new InvalidOperationException("CONNECT has no answer yet; what follows it has to wait.");
    }

    private void FeedConnect(PacketHeader header, ReadOnlySpan<byte> body, ref SessionStep step)
    {
        if (header.Type != PacketType.Connect)
        {
            Break(PacketDefect.PacketUnexpected, ref step);
            return;
        }

        var defect = ConnectPacket.TryRead(body, out var packet);
        Version = packet.Version;
        if (defect == PacketDefect.None) defect = TakeConnect(packet);
        if (defect != PacketDefect.None)
        {
            Break(defect, ref step);
            return;
        }

        State = SessionState.Authenticating;
        step.Kind = SessionStepKind.Authenticate;
    }

    private PacketDefect TakeConnect(ConnectPacket packet)
    {
        var request = ConnectRequest.From(packet);

        // A refusal keeps to the client's maximum as well (§3.2.2.3.9).
        _clientPacketBytesMax = request.PacketBytesMax;
        _saysReasons = request.WantsProblemInformation;
        var defect = CheckConnect(packet);
        if (defect == PacketDefect.None) Request = request;
        return defect;
    }

    /// <summary>3.1.1 has no way to say that RETAIN is not available; there, a will may name it.</summary>
    private PacketDefect CheckConnect(ConnectPacket packet)
    {
        if (packet.Version == MqttVersion.V311)
            return packet.ClientId.IsEmpty && !packet.CleanStart ? PacketDefect.ClientIdMissing : PacketDefect.None;
        var hasMethod = packet.Properties.TryFind(PropertyId.AuthenticationMethod, out _);
        if (hasMethod) return PacketDefect.AuthenticationMethodUnknown;
        if (packet.Properties.TryFind(PropertyId.AuthenticationData, out _)) return PacketDefect.PropertyValueInvalid;
        return packet.WillRetain && !limits.MayRetain ? PacketDefect.RetainNotSupported : PacketDefect.None;
    }

    private void FeedPublish(PacketHeader header, ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = PublishPacket.TryRead(header.Flags, body, Version, out var publish);
        if (defect == PacketDefect.None && Version == MqttVersion.V5) defect = CheckPublishV5(ref publish);
        if (defect != PacketDefect.None)
        {
            Break(defect, ref step);
            return;
        }

        if (publish.Qos != 0 && _acks is { } acks && IsFull(acks))
        {
            if (Version == MqttVersion.V5) Break(PacketDefect.ReceiveMaximumExceeded, ref step);
            else step.Kind = SessionStepKind.Wait;
            return;
        }

        if (publish.Qos == 2 && Exchanges?.Contains(publish.PacketId) == true)
        {
            step.Kind = SessionStepKind.Repeat;
            step.PacketId = publish.PacketId;
            return;
        }

        step.Kind = SessionStepKind.Publish;
        step.Publish = publish;
    }

    /// <summary>
    /// Answers a publish that came again, behind all that is in <see cref="Acks"/>. False: the answer to it is there
    /// already.
    /// </summary>
    public bool Repeat(ushort packetId) => Exchanges!.Repeat(packetId, Acks);

    /// <summary>
    /// In MQTT 5 a QoS 2 publish counts until its PUBCOMP (§4.9). In 3.1.1, where no maximum can be told, it counts
    /// until its PUBREC, or a client that waits for that could not send the PUBREL that makes room.
    /// </summary>
    private bool IsFull(AckWindow acks) => InFlightOf(acks) >= limits.InFlightMax;

    private long InFlightOf(AckWindow acks)
    {
        if (Version != MqttVersion.V5 || Exchanges is null) return acks.Count;

        // In this order: what leaves the window in between is counted in neither, rather than in both.
        var unreleased = Exchanges.Unreleased(acks);
        return acks.Count + unreleased;
    }

    private PacketDefect CheckPublishV5(ref PublishPacket publish)
    {
        if (publish.Retain && !limits.MayRetain) return PacketDefect.RetainNotSupported;
        if (publish.Properties.IsEmpty) return PacketDefect.None;

        // A subscription identifier goes from server to client only (§3.3.4).
        if (publish.Properties.TryFind(PropertyId.SubscriptionIdentifier, out _)) return PacketDefect.PropertyUnknown;
        if (!publish.Properties.TryFind(PropertyId.TopicAlias, out var alias)) return PacketDefect.None;
        _aliases ??= new TopicAliases(limits.TopicAliasMax, limits.TopicBytesMax);
        if (!_aliases.TryResolve(alias.Number, publish.Topic, out var topic)) return PacketDefect.TopicAliasInvalid;
        if (publish.Topic.IsEmpty) publish = publish.WithTopic(topic);
        return PacketDefect.None;
    }

    private void FeedOther(PacketHeader header, ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = header.Type switch
        {
            PacketType.PingReq => FeedPing(body, ref step),
            PacketType.Subscribe => FeedSubscribe(body, ref step),
            PacketType.Unsubscribe => FeedUnsubscribe(body, ref step),
            PacketType.Disconnect => FeedDisconnect(body, ref step),
            PacketType.PubRel => FeedRelease(body, ref step),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubComp =>
                FeedAcknowledgement(header.Type, body, ref step),
            PacketType.Auth when Version == MqttVersion.V5 => RefuseAuth(body),
            _ => PacketDefect.PacketUnexpected,
        };
        if (defect != PacketDefect.None) Break(defect, ref step);
    }

    private static PacketDefect FeedPing(ReadOnlySpan<byte> body, ref SessionStep step)
    {
        step.Kind = SessionStepKind.Ping;
        return body.IsEmpty ? PacketDefect.None : PacketDefect.TrailingBytes;
    }

    private PacketDefect FeedSubscribe(ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = SubscribePacket.TryRead(body, Version, out var packet);
        step.Subscribe = packet;
        step.Kind = SessionStepKind.Subscribe;
        return defect;
    }

    private PacketDefect FeedUnsubscribe(ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = UnsubscribePacket.TryRead(body, Version, out var packet);
        step.Unsubscribe = packet;
        step.Kind = SessionStepKind.Unsubscribe;
        return defect;
    }

    private PacketDefect FeedDisconnect(ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = ReasonPacket.TryRead(PacketType.Disconnect, body, Version, out var packet);
        if (defect != PacketDefect.None) return defect;

        // A session that was to end with its connection cannot be prolonged at its end (§3.14.2.2.2).
        if (packet.Properties.TryFind(PropertyId.SessionExpiryInterval, out var expiry))
        {
            if (expiry.Number != 0 && _expiryAskedSeconds == 0) return PacketDefect.PropertyValueInvalid;
            ExpirySeconds = Math.Min(expiry.Number, limits.SessionExpiryMaxSeconds);
        }

        if (packet.Reason == ReasonCode.Success) Will = null;
        State = SessionState.Closed;
        step.Kind = SessionStepKind.Goodbye;
        return PacketDefect.None;
    }

    private PacketDefect FeedRelease(ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = ReasonPacket.TryRead(PacketType.PubRel, body, Version, out var packet);
        if (defect != PacketDefect.None) return defect;
        var outcome = Exchanges?.Release(packet.PacketId, _acks) ?? ReleaseOutcome.Unknown;
        if (outcome == ReleaseOutcome.TooEarly) return PacketDefect.ReleaseTooEarly;
        step.Kind = SessionStepKind.Release;
        step.PacketId = packet.PacketId;
        if (outcome == ReleaseOutcome.Unknown) step.Reason = ReasonCode.PacketIdentifierNotFound;
        return PacketDefect.None;
    }

    private PacketDefect FeedAcknowledgement(PacketType type, ReadOnlySpan<byte> body, ref SessionStep step)
    {
        var defect = ReasonPacket.TryRead(type, body, Version, out var packet);
        step.Kind = SessionStepKind.Delivered;
        step.Acknowledgement = type;
        step.PacketId = packet.PacketId;
        step.Reason = packet.Reason;
        return defect;
    }

    /// <summary>No method was agreed on in CONNECT, so that there is none to go on with (§4.12).</summary>
    private PacketDefect RefuseAuth(ReadOnlySpan<byte> body)
    {
        var defect = ReasonPacket.TryRead(PacketType.Auth, body, Version, out var packet);
        if (defect != PacketDefect.None) return defect;
        var hasMethod = packet.Properties.TryFind(PropertyId.AuthenticationMethod, out _);
        return hasMethod ? PacketDefect.AuthenticationMethodUnknown : PacketDefect.PacketUnexpected;
    }

    private void Break(PacketDefect defect, ref SessionStep step)
    {
        step.Kind = SessionStepKind.Close;
        step.Defect = defect;
    }
}
