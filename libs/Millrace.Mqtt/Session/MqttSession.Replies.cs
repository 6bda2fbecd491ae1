using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Session;

public sealed partial class MqttSession
{
    private const int ConnAckPropertyBytesMax = 64;

    /// <summary>
    /// Answers CONNECT with success and what this server grants. False, with nothing written, when the answer would be
    /// larger than the client's maximum packet size: then the connection can only be closed.
    /// </summary>
    /// <param name="assignedClientId">The client's name when it left that to the server.</param>
    public bool Accept(IBufferWriter<byte> replies, string? assignedClientId)
    {
        var request = Request ?? throw new InvalidOperationException("No CONNECT waits for an answer.");
        KeepAliveSeconds = KeepAliveFor(request);
        var idBytes = assignedClientId is null ? 0 : Encoding.UTF8.GetByteCount(assignedClientId);
        var properties = new PropertyWriter(stackalloc byte[ConnAckPropertyBytesMax + idBytes]);
        if (Version == MqttVersion.V5) WriteGrants(ref properties, request, assignedClientId);
        var packet = new ConnAckPacket { Properties = new PropertySet(properties.Written) };
        if (!Fits(2 + PacketWriter.SizeOf(packet.Properties, Version))) return false;
        PacketWriter.ConnAck(replies, Version, packet);
        State = SessionState.Connected;
        Will = request.Will;
        _sessionExpirySeconds = request.SessionExpirySeconds;
        Request = null;
        return true;
    }

    /// <summary>
    /// Ends the session with a reason: CONNACK before it was accepted, DISCONNECT after (MQTT 5 only). Nothing is
    /// written where the version has no packet for it. May be called again; only the first writes.
    /// </summary>
    public void Close(IBufferWriter<byte> replies, ReasonCode reason)
    {
        var state = State;
        State = SessionState.Closed;
        Request = null;
        if (state == SessionState.Connected && Version == MqttVersion.V5 && Fits(1))
        {
            var packet = new ReasonPacket { Type = PacketType.Disconnect, Reason = reason };
            PacketWriter.Reason(replies, Version, packet);
        }
        else if (state is SessionState.AwaitingConnect or SessionState.Authenticating) Refuse(replies, reason);
    }

    /// <summary>Answers SUBSCRIBE or UNSUBSCRIBE. False when the answer is larger than the client takes.</summary>
    public bool Answer(IBufferWriter<byte> replies, PacketType type, ushort packetId, ReadOnlySpan<byte> codes)
    {
        if (type == PacketType.UnsubAck && Version == MqttVersion.V311) codes = default;
        var packet = new SubAckPacket { PacketId = packetId, Codes = codes };
        if (!Fits(2 + PacketWriter.SizeOf(default, Version) + codes.Length)) return false;
        PacketWriter.SubAck(replies, Version, type, packet);
        return true;
    }

    private void Refuse(IBufferWriter<byte> replies, ReasonCode reason)
    {
        // A level that is not known is answered in the form of 3.1.1, which every client reads (§3.1.2.2).
        if (Version == MqttVersion.V5)
        {
            if (Fits(3)) PacketWriter.ConnAck(replies, Version, new ConnAckPacket { Code = (byte)reason });
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

    private void WriteGrants(scoped ref PropertyWriter properties, ConnectRequest request, string? assignedClientId)
    {
        if (request.SessionExpirySeconds != 0) properties.Number(PropertyId.SessionExpiryInterval, 0);
        properties.Number(PropertyId.ReceiveMaximum, (uint)limits.InFlightMax);
        properties.Number(PropertyId.MaximumQos, 1);
        properties.Number(PropertyId.RetainAvailable, 0);
        properties.Number(PropertyId.MaximumPacketSize, (uint)limits.PacketBytesMax);
        if (assignedClientId is not null)
            properties.Bytes(PropertyId.AssignedClientIdentifier, Encoding.UTF8.GetBytes(assignedClientId));
        if (limits.TopicAliasMax > 0) properties.Number(PropertyId.TopicAliasMaximum, (uint)limits.TopicAliasMax);
        properties.Number(PropertyId.SubscriptionIdentifierAvailable, 0);
        properties.Number(PropertyId.SharedSubscriptionAvailable, 0);
        if (KeepAliveSeconds != request.KeepAliveSeconds)
            properties.Number(PropertyId.ServerKeepAlive, (uint)KeepAliveSeconds);
    }

    private int KeepAliveFor(ConnectRequest request)
    {
        var max = limits.KeepAliveMaxSeconds;
        if (max == 0) return request.KeepAliveSeconds;
        return request.KeepAliveSeconds == 0 ? max : Math.Min(max, request.KeepAliveSeconds);
    }

    private bool Fits(int bodyBytes) => 1 + VarInt.Size(bodyBytes) + bodyBytes <= _clientPacketBytesMax;
}
