using System.Buffers;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;
using Millrace.Mqtt.Session;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>A session that is connected, fed by hand.</summary>
internal sealed class SessionDriver(MqttSession session)
{
    private static readonly SessionLimits Limits = new(
        PacketBytesMax: 65_536, InFlightMax: 2, TopicAliasMax: 4, KeepAliveMaxSeconds: 100,
        SessionExpiryMaxSeconds: 500, OutboundInFlightMax: 10, OutboundTopicAliasMax: 1);

    public MqttSession Session => session;

    /// <summary>A client whose CONNECT has no answer yet.</summary>
    public static SessionDriver Authenticating()
    {
        var target = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(target, new ConnectPacket { Version = MqttVersion.V5, CleanStart = true });
        var driver = new SessionDriver(new MqttSession(Limits));
        driver.Feed(target.WrittenSpan.ToArray(), SessionStepKind.Authenticate);
        return driver;
    }

    public static SessionDriver Connected(
        MqttVersion version = MqttVersion.V5, bool problemInformation = true, uint packetBytesMax = 0,
        int aliasMax = 0, uint expiry = 0, IEnumerable<(ushort, long)>? open = null)
    {
        var properties = new PropertyWriter(new byte[64]);
        properties.Number(PropertyId.RequestProblemInformation, problemInformation ? 1u : 0);
        if (packetBytesMax > 0) properties.Number(PropertyId.MaximumPacketSize, packetBytesMax);
        if (aliasMax > 0) properties.Number(PropertyId.TopicAliasMaximum, (uint)aliasMax);
        if (expiry > 0) properties.Number(PropertyId.SessionExpiryInterval, expiry);
        var target = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(target, new ConnectPacket
        {
            Version = version,
            CleanStart = true,
            ClientId = "c"u8,
            Properties = version == MqttVersion.V5 ? new PropertySet(properties.Written) : default,
        });
        var driver = new SessionDriver(new MqttSession(Limits));
        driver.Feed(target.WrittenSpan.ToArray(), SessionStepKind.Authenticate);
        if (open is not null) driver.Session.Exchanges = new ExchangeTable(0, open);
        driver.Session.Accept(new ArrayBufferWriter<byte>(), default);
        return driver;
    }

    public static byte[] Publish(int qos, ushort id, bool duplicate = false) =>
        PacketSamples.Bytes(target => PacketWriter.Publish(target, MqttVersion.V311, new PublishPacket
        {
            Qos = qos,
            PacketId = id,
            Duplicate = duplicate,
            Topic = "t"u8,
            Payload = [0],
        }));

    public void Feed(byte[] packet, SessionStepKind expected)
    {
        PacketHeader.TryRead(packet, out var header, out _);
        session.Feed(header, packet.AsSpan(header.HeaderBytes), out var step);
        Assert.That(step.Kind, Is.EqualTo(expected), $"{step.Defect}");
    }

    /// <summary>A QoS 2 publish that is open comes again; whether there is an answer to write.</summary>
    public bool Repeat(ushort id)
    {
        Feed(Publish(2, id, duplicate: true), SessionStepKind.Repeat);
        return session.Repeat(id);
    }

    public PacketDefect Defect(string packet)
    {
        var bytes = Convert.FromHexString(packet);
        Assert.That(PacketHeader.TryRead(bytes, out var header, out _));
        session.Feed(header, bytes.AsSpan(header.HeaderBytes), out var step);
        Assert.That(step.Kind, Is.EqualTo(SessionStepKind.Close));
        return step.Defect;
    }

    /// <summary>PUBREL, and what is answered.</summary>
    public string Release(ushort id)
    {
        byte[] packet = [0x62, 2, (byte)(id >> 8), (byte)id];
        PacketHeader.TryRead(packet, out var header, out _);
        session.Feed(header, packet.AsSpan(2), out var step);
        Assert.That(step.Kind, Is.EqualTo(SessionStepKind.Release));
        var (packetId, reason) = (step.PacketId, step.Reason);
        return Convert.ToHexString(PacketSamples.Bytes(target => session.Complete(target, packetId, reason)));
    }

    /// <summary>What leaves when the log has become durable up to this number.</summary>
    public string AcksAfter(long number)
    {
        if (number >= 0) session.Acks.MarkDurable(0, number);
        return Convert.ToHexString(PacketSamples.Bytes(target => session.WriteAcks(target)));
    }

    public string? Deliver(
        string topic, int qos, ushort id, int payloadBytes = 1, uint? expiry = null, params uint[] ids)
    {
        var target = new ArrayBufferWriter<byte>();
        var written = session.Deliver(target, new Delivery
        {
            Topic = topic,
            Qos = qos,
            PacketId = id,
            ExpirySeconds = expiry,
            SubscriptionIds = ids,
            Payload = new byte[payloadBytes],
        });
        return written ? Convert.ToHexString(target.WrittenSpan) : null;
    }
}
