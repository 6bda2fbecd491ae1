using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

public sealed partial class MqttSession
{
    private const int ConnAckPropertyBytesMax = 64;

    /// <summary>How long the session would outlive its connection.</summary>
    public uint ExpiryFor(ConnectRequest request) =>
        Math.Min(request.SessionExpirySeconds, limits.SessionExpiryMaxSeconds);

    /// <summary>
    /// Whether the client takes a packet as large as <see cref="Accept"/> would write. If not, the connection can only
    /// be closed, and nothing else may come of it (§3.1.2.11.4).
    /// </summary>
    public bool CanAccept(ConnectRequest request, in SessionGrants grants) =>
        Fits(2 + PacketWriter.SizeOf(Granted(request, grants), Version));

    /// <summary>Answers CONNECT with success and what this server grants.</summary>
    public void Accept(IBufferWriter<byte> replies, in SessionGrants grants)
    {
        var request = Request ?? throw new InvalidOperationException("No CONNECT waits for an answer.");
        if (!CanAccept(request, grants)) throw new InvalidOperationException("The client does not take the answer.");
        PacketWriter.ConnAck(replies, Version, new ConnAckPacket
        {
            SessionPresent = grants.IsPresent,
            Properties = Granted(request, grants),
        });
        State = SessionState.Connected;
        KeepAliveSeconds = KeepAliveFor(request);
        ExpirySeconds = ExpiryFor(request);
        Will = request.Will;
        _expiryAskedSeconds = request.SessionExpirySeconds;
        _outboundAliasMax = Math.Min(request.TopicAliasMax, limits.OutboundTopicAliasMax);
        OutboundMax = Math.Min(request.ReceiveMaximum, limits.OutboundInFlightMax);
        Request = null;
    }

    /// <summary>
    /// Ends the session with a reason: CONNACK before it was accepted, DISCONNECT after (MQTT 5 only). Nothing is
    /// written where the version has no packet for it. May be called again; only the first writes.
    /// </summary>
    /// <param name="reason">Where the packet may not carry it, the nearest that it may is written.</param>
    /// <param name="text">
    /// For people, in ASCII; MQTT 5 lets it stand here whatever the client said of problem information (§3.1.2.11.7).
    /// </param>
    public void Close(IBufferWriter<byte> replies, ReasonCode reason, string? text = null)
    {
        var state = State;
        State = SessionState.Closed;
        Request = null;
        if (state == SessionState.Connected && Version == MqttVersion.V5 && Fits(1))
        {
            reason = PacketType.Disconnect.Nearest(reason);
            var packet = new ReasonPacket { Type = PacketType.Disconnect, Reason = reason };
            ReasonText.Write(replies, Version, packet, text, _clientPacketBytesMax);
        }
        else if (state is SessionState.AwaitingConnect or SessionState.Authenticating)
            Refuse(replies, PacketType.ConnAck.Nearest(reason), text);
    }

    /// <summary>Writes the acknowledgements that may leave; returns how many.</summary>
    public int WriteAcks(IBufferWriter<byte> replies) =>
        Acks.WriteReady(replies, Version, _saysReasons ? _clientPacketBytesMax : 0);

    /// <summary>Answers PUBREL.</summary>
    public void Complete(IBufferWriter<byte> replies, ushort packetId, ReasonCode reason) =>
        WriteReason(replies, PacketType.PubComp, packetId, reason);

    /// <summary>Answers PUBREC, also one of a message that is not known (§4.3.3).</summary>
    public void Release(IBufferWriter<byte> replies, ushort packetId, ReasonCode reason) =>
        WriteReason(replies, PacketType.PubRel, packetId, reason);

    /// <summary>Answers SUBSCRIBE or UNSUBSCRIBE. False when the answer is larger than the client takes.</summary>
    public bool Answer(IBufferWriter<byte> replies, PacketType type, ushort packetId, ReadOnlySpan<byte> codes)
    {
        if (type == PacketType.UnsubAck && Version == MqttVersion.V311) codes = default;
        var packet = new SubAckPacket { PacketId = packetId, Codes = codes };
        if (!Fits(2 + PacketWriter.SizeOf(default, Version) + codes.Length)) return false;
        PacketWriter.SubAck(replies, Version, type, packet);
        return true;
    }

    private void WriteReason(IBufferWriter<byte> replies, PacketType type, ushort packetId, ReasonCode reason)
    {
        var packet = new ReasonPacket { Type = type, PacketId = packetId, Reason = reason };
        var textBytesMax = _saysReasons ? _clientPacketBytesMax : 0;
        ReasonText.Write(replies, Version, packet, ReasonText.Of(reason), textBytesMax);
    }

    private void Refuse(IBufferWriter<byte> replies, ReasonCode reason, string? text)
    {
        // A level that is not known is answered in the form of 3.1.1, which every client reads (§3.1.2.2).
        if (Version == MqttVersion.V5)
        {
            var properties = new PropertyWriter(new byte[3 + (text?.Length ?? 0)]);
            if (text is not null && Fits(6 + text.Length + VarInt.Size(text.Length)))
                properties.Bytes(PropertyId.ReasonString, Encoding.ASCII.GetBytes(text));
            var packet = new ConnAckPacket { Code = (byte)reason, Properties = new PropertySet(properties.Written) };
            if (Fits(3)) PacketWriter.ConnAck(replies, Version, packet);
        }
        else if (Version == MqttVersion.V311 ? HasReturnCode(reason) : reason == ReasonCode.UnsupportedProtocolVersion)
        {
            var packet = new ConnAckPacket { Code = reason.ToConnectReturnCode() };
            PacketWriter.ConnAck(replies, MqttVersion.V311, packet);
        }
    }

    /// <summary>3.1.1 closes without a word on a packet that breaks its rules (§4.8).</summary>
    private static bool HasReturnCode(ReasonCode reason) =>
        reason is not (ReasonCode.MalformedPacket or ReasonCode.ProtocolError or ReasonCode.PacketTooLarge);

    private static int TextBytes(in SessionGrants grants) =>
        Encoding.UTF8.GetByteCount(grants.AssignedClientId ?? "")
        + Encoding.UTF8.GetByteCount(grants.ResponseInformation ?? "");

    private PropertySet Granted(ConnectRequest request, in SessionGrants grants)
    {
        if (Version != MqttVersion.V5) return default;
        var properties = new PropertyWriter(new byte[ConnAckPropertyBytesMax + TextBytes(grants)]);
        if (ExpiryFor(request) != request.SessionExpirySeconds)
            properties.Number(PropertyId.SessionExpiryInterval, ExpiryFor(request));
        properties.Number(PropertyId.ReceiveMaximum, (uint)limits.InFlightMax);
        if (!limits.MayRetain) properties.Number(PropertyId.RetainAvailable, 0);
        properties.Number(PropertyId.MaximumPacketSize, (uint)limits.PacketBytesMax);
        if (grants.AssignedClientId is { } assigned)
            properties.Bytes(PropertyId.AssignedClientIdentifier, Encoding.UTF8.GetBytes(assigned));
        if (limits.TopicAliasMax > 0) properties.Number(PropertyId.TopicAliasMaximum, (uint)limits.TopicAliasMax);
        if (!limits.MayShare) properties.Number(PropertyId.SharedSubscriptionAvailable, 0);
        if (KeepAliveFor(request) != request.KeepAliveSeconds)
            properties.Number(PropertyId.ServerKeepAlive, (uint)KeepAliveFor(request));
        if (request.WantsResponseInformation && grants.ResponseInformation is { } information)
            properties.Bytes(PropertyId.ResponseInformation, Encoding.UTF8.GetBytes(information));
        return new PropertySet(properties.Written);
    }

    private int KeepAliveFor(ConnectRequest request)
    {
        var max = limits.KeepAliveMaxSeconds;
        if (max == 0) return request.KeepAliveSeconds;
        return request.KeepAliveSeconds == 0 ? max : Math.Min(max, request.KeepAliveSeconds);
    }

    private bool Fits(int bodyBytes) => 1 + VarInt.Size(bodyBytes) + bodyBytes <= _clientPacketBytesMax;
}
