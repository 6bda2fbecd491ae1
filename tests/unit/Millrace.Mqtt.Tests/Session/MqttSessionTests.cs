using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;
using Millrace.Mqtt.Session;

namespace Millrace.Mqtt.Tests.Session;

public class MqttSessionTests
{
    private static readonly SessionLimits Limits = new(
        PacketBytesMax: 65_536, InFlightMax: 2, TopicAliasMax: 4, KeepAliveMaxSeconds: 100,
        SessionExpiryMaxSeconds: 500, OutboundInFlightMax: 10, OutboundTopicAliasMax: 1);

    [Test]
    public void A_client_is_accepted_with_what_the_server_grants()
    {
        var session = new MqttSession(Limits);
        Assert.That(Feed(session, Connect(MqttVersion.V5, "", keepAlive: 0)), Is.EqualTo(SessionStepKind.Authenticate));

        var target = new ArrayBufferWriter<byte>();
        session.Accept(target, new SessionGrants(AssignedClientId: "made-up"));

        Assert.That(target.WrittenSpan[0], Is.EqualTo(0x20));
        var defect = ConnAckPacket.TryRead(target.WrittenSpan[2..], MqttVersion.V5, out var answer);
        Assert.That(defect, Is.EqualTo(PacketDefect.None));
        Assert.That(answer.SessionPresent, Is.False);
        Assert.That(answer.Code, Is.Zero);
        Assert.That(answer.Properties.Number(PropertyId.ReceiveMaximum, 0), Is.EqualTo(2));
        Assert.That(answer.Properties.TryFind(PropertyId.MaximumQos, out _), Is.False, "absent is 2");
        Assert.That(answer.Properties.Number(PropertyId.RetainAvailable, 9), Is.Zero);
        Assert.That(answer.Properties.Number(PropertyId.MaximumPacketSize, 0), Is.EqualTo(65_536));
        Assert.That(answer.Properties.Number(PropertyId.TopicAliasMaximum, 0), Is.EqualTo(4));
        Assert.That(answer.Properties.Number(PropertyId.ServerKeepAlive, 0), Is.EqualTo(100));
        Assert.That(answer.Properties.TryFind(PropertyId.AssignedClientIdentifier, out var id));
        Assert.That(Encoding.UTF8.GetString(id.Value), Is.EqualTo("made-up"));
        Assert.That(session.KeepAliveSeconds, Is.EqualTo(100));
    }

    [TestCase(MqttVersion.V311, ReasonCode.BadUserNameOrPassword, "20020005")]
    [TestCase(MqttVersion.V5, ReasonCode.BadUserNameOrPassword, "2003008600")]
    [TestCase(MqttVersion.V311, ReasonCode.ServerUnavailable, "20020003")]
    public void A_client_is_refused(MqttVersion version, ReasonCode reason, string expected)
    {
        var session = new MqttSession(Limits);
        Feed(session, Connect(version, "c"));

        Assert.That(Closing(session, reason), Is.EqualTo(expected));
        Assert.That(Closing(session, reason), Is.Empty, "a second end says nothing");
    }

    [TestCase(3, "MQIsdp", "20020001")]
    [TestCase(6, "MQTT", "20020001")]
    [TestCase(4, "HTTP", "20020001")]
    public void A_version_that_is_not_spoken_is_answered_in_the_form_of_3_1_1(int level, string name, string expected)
    {
        var session = new MqttSession(Limits);
        byte[] body = [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)level, 2, 0, 0, 0, 0];

        var defect = FeedBroken(session, PacketType.Connect, 0, body);
        Assert.That(defect.Reason(), Is.EqualTo(ReasonCode.UnsupportedProtocolVersion));
        Assert.That(Closing(session, ReasonCode.UnsupportedProtocolVersion), Is.EqualTo(expected));
    }

    [Test]
    public void The_first_packet_is_connect()
    {
        var session = new MqttSession(Limits);

        Assert.That(FeedBroken(session, PacketType.PingReq, 0, []), Is.EqualTo(PacketDefect.PacketUnexpected));
        Assert.That(Closing(session, ReasonCode.ProtocolError), Is.Empty);
    }

    [Test]
    public void A_second_connect_is_a_protocol_error()
    {
        var session = Connected(MqttVersion.V5);

        Assert.That(Feed(session, Connect(MqttVersion.V5, "c")), Is.EqualTo(SessionStepKind.Close));
        Assert.That(Closing(session, ReasonCode.ProtocolError), Is.EqualTo("E00182"));
    }

    [Test]
    public void An_authentication_method_is_refused()
    {
        var session = new MqttSession(Limits);
        var properties = new PropertyWriter(new byte[64]);
        properties.Bytes(PropertyId.AuthenticationMethod, "SCRAM-SHA-1"u8);
        var packet = new ConnectPacket
        {
            Version = MqttVersion.V5,
            ClientId = "c"u8,
            Properties = new PropertySet(properties.Written),
        };
        var target = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(target, packet);

        var defect = Defect(session, target.WrittenSpan.ToArray());
        Assert.That(defect.Reason(), Is.EqualTo(ReasonCode.BadAuthenticationMethod));
        Assert.That(Closing(session, ReasonCode.BadAuthenticationMethod), Is.EqualTo("2003008C00"));
    }

    [TestCase("2700000014" + "15000158", 0, ReasonCode.BadAuthenticationMethod, TestName = "A method")]
    [TestCase("2700000014" + "16000158", 0, ReasonCode.ProtocolError, TestName = "Authentication data alone")]
    [TestCase("2700000014", 1, ReasonCode.RetainNotSupported, TestName = "A will that is to be retained")]
    public void A_refusal_is_no_larger_than_the_client_takes(string properties, int willRetain, ReasonCode reason)
    {
        var session = new MqttSession(Limits);
        var packet = PacketSamples.Bytes(target => PacketWriter.Connect(target, new ConnectPacket
        {
            Version = MqttVersion.V5,
            ClientId = "c"u8,
            Properties = new PropertySet(Convert.FromHexString(properties)),
            HasWill = willRetain == 1,
            WillRetain = willRetain == 1,
            WillTopic = "will"u8,
        }));

        Assert.That(Defect(session, packet).Reason(), Is.EqualTo(reason));
        var words = PacketSamples.Bytes(target => session.Close(target, reason, "more than twenty bytes"));
        Assert.That(Convert.ToHexString(words), Is.EqualTo($"200300{(byte)reason:X2}00"));
    }

    [Test]
    public void An_empty_client_id_needs_a_clean_session_in_3_1_1()
    {
        var session = new MqttSession(Limits);

        var defect = Defect(session, Connect(MqttVersion.V311, "", clean: false));
        Assert.That(defect, Is.EqualTo(PacketDefect.ClientIdMissing));
        Assert.That(Closing(session, ReasonCode.ClientIdentifierNotValid), Is.EqualTo("20020002"));
    }

    [TestCase(MqttVersion.V5, SessionStepKind.Close)]
    [TestCase(MqttVersion.V311, SessionStepKind.Wait)]
    public void Publishes_beyond_the_window_wait_or_break_the_rules(MqttVersion version, SessionStepKind expected)
    {
        var session = Connected(version);
        for (ushort id = 1; id <= 2; id++)
        {
            Assert.That(Feed(session, Publish(version, 1, id)), Is.EqualTo(SessionStepKind.Publish));
            session.Acks.Add(id, 0);
        }

        Assert.That(Feed(session, Publish(version, 0, 0)), Is.EqualTo(SessionStepKind.Publish), "QoS 0 has no window");
        Assert.That(Feed(session, Publish(version, 1, 3)), Is.EqualTo(expected));
    }

    [Test]
    public void A_topic_alias_stands_for_the_topic_that_it_came_with()
    {
        var session = Connected(MqttVersion.V5);

        Assert.That(PublishedTopic(session, "a/b", alias: 3), Is.EqualTo("a/b"));
        Assert.That(PublishedTopic(session, "", alias: 3), Is.EqualTo("a/b"));
        Assert.That(PublishedTopic(session, "c", alias: 3), Is.EqualTo("c"));
        Assert.That(PublishedTopic(session, "", alias: 3), Is.EqualTo("c"));
    }

    [Test]
    public void An_alias_of_a_topic_that_is_too_long_stands_for_one_that_is_and_is_given_anew()
    {
        var session = Connected(MqttVersion.V5, Limits with { TopicBytesMax = 3 });

        Assert.That(PublishedTopic(session, "a/b/c/d", alias: 3), Is.EqualTo("a/b/c/d"));
        Assert.That(PublishedTopic(session, "", alias: 3), Has.Length.EqualTo(4), "one byte more than is taken");
        Assert.That(PublishedTopic(session, "a/b", alias: 3), Is.EqualTo("a/b"));
        Assert.That(PublishedTopic(session, "", alias: 3), Is.EqualTo("a/b"));
    }

    [TestCase("", 2, TestName = "An alias that was never set")]
    [TestCase("a", 5, TestName = "An alias above the maximum")]
    public void Topic_aliases_that_are_invalid(string topic, int alias)
    {
        var session = Connected(MqttVersion.V5);

        Assert.That(Defect(session, Publish(MqttVersion.V5, 0, 0, topic, (uint)alias)).Reason(),
            Is.EqualTo(ReasonCode.TopicAliasInvalid));
    }

    [TestCase("E000", true, TestName = "A good-bye takes the will back")]
    [TestCase("E00104", false, TestName = "A good-bye that asks for the will")]
    public void The_will_at_a_good_bye(string packet, bool gone)
    {
        var session = Connected(MqttVersion.V5, will: true);
        Assert.That(session.Will, Is.Not.Null);

        Assert.That(Feed(session, Convert.FromHexString(packet)), Is.EqualTo(SessionStepKind.Goodbye));
        Assert.That(session.Will is null, Is.EqualTo(gone));
    }

    [TestCase(0u, 10u, null, TestName = "A session that was to end with its connection is not prolonged")]
    [TestCase(100u, 10u, 10u, TestName = "A session is made shorter at its end")]
    [TestCase(100u, 0u, 0u, TestName = "A session is given up at its end")]
    [TestCase(100u, 900u, 500u, TestName = "A session is prolonged as far as the server allows")]
    public void Session_expiry_at_a_good_bye(uint asked, uint said, uint? expected)
    {
        var driver = SessionDriver.Connected(expiry: asked);
        var packet = $"E0070005" + $"11{said:X8}";
        if (expected is null)
        {
            Assert.That(driver.Defect(packet), Is.EqualTo(PacketDefect.PropertyValueInvalid));
            return;
        }

        driver.Feed(Convert.FromHexString(packet), SessionStepKind.Goodbye);
        Assert.That(driver.Session.ExpirySeconds, Is.EqualTo(expected));
    }

    [TestCase(MqttVersion.V311, false, 500u)]
    [TestCase(MqttVersion.V311, true, 0u)]
    [TestCase(MqttVersion.V5, false, 0u)]
    public void How_long_a_session_is_kept(MqttVersion version, bool clean, uint expected)
    {
        var session = new MqttSession(Limits);
        Feed(session, Connect(version, "c", clean));
        session.Accept(new ArrayBufferWriter<byte>(), default);

        Assert.That(session.ExpirySeconds, Is.EqualTo(expected));
    }

    [Test]
    public void A_session_that_goes_on_is_said_to_be_present()
    {
        var session = new MqttSession(Limits);
        Feed(session, Connect(MqttVersion.V311, "c", clean: false));
        var answer = PacketSamples.Bytes(target => session.Accept(target, new SessionGrants(IsPresent: true)));

        Assert.That(Convert.ToHexString(answer), Is.EqualTo("20020100"));
    }

    [Test]
    public void Response_information_is_given_to_those_who_ask([Values] bool asks)
    {
        var session = new MqttSession(Limits);
        var properties = new PropertyWriter(new byte[8]);
        properties.Number(PropertyId.RequestResponseInformation, asks ? 1u : 0);
        var target = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(target, new ConnectPacket
        {
            Version = MqttVersion.V5,
            ClientId = "c"u8,
            Properties = new PropertySet(properties.Written),
        });
        Feed(session, target.WrittenSpan.ToArray());
        var answer = PacketSamples.Bytes(t => session.Accept(t, new SessionGrants(ResponseInformation: "devices/c/")));

        ConnAckPacket.TryRead(answer.AsSpan(2), MqttVersion.V5, out var packet);
        Assert.That(packet.Properties.TryFind(PropertyId.ResponseInformation, out _), Is.EqualTo(asks));
    }

    [TestCase("F000", PacketDefect.PacketUnexpected, TestName = "AUTH without a method")]
    [TestCase("F007180515000258" + "59", PacketDefect.AuthenticationMethodUnknown, TestName = "AUTH with a method")]
    public void Enhanced_authentication_is_refused(string packet, PacketDefect defect) =>
        Assert.That(Defect(Connected(MqttVersion.V5), Convert.FromHexString(packet)), Is.EqualTo(defect));

    [TestCase("8208" + "000100" + "00022474" + "04", PacketDefect.None)]
    [TestCase("8210" + "000100" + "000A2473686172652F672F61" + "04", PacketDefect.NoLocalWithShared)]
    public void No_local_goes_with_no_shared_subscription(string packet, PacketDefect defect)
    {
        var bytes = Convert.FromHexString(packet);
        Assert.That(PacketHeader.TryRead(bytes, out var header, out _));
        Connected(MqttVersion.V5).Feed(header, bytes.AsSpan(header.HeaderBytes), out var step);

        Assert.That(step.Defect, Is.EqualTo(defect));
    }

    [TestCase("5002000A", SessionStepKind.Delivered)]
    [TestCase("4002000A", SessionStepKind.Delivered)]
    [TestCase("7002000A", SessionStepKind.Delivered)]
    [TestCase("50020000", SessionStepKind.Close)]
    public void Acknowledgements_are_handed_on(string packet, SessionStepKind expected) =>
        Assert.That(Feed(Connected(MqttVersion.V5), Convert.FromHexString(packet)), Is.EqualTo(expected));

    [Test]
    public void An_answer_that_the_client_would_not_take_is_not_sent()
    {
        var session = new MqttSession(Limits);
        var properties = new PropertyWriter(new byte[8]);
        properties.Number(PropertyId.MaximumPacketSize, 10);
        var target = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(target, new ConnectPacket
        {
            Version = MqttVersion.V5,
            ClientId = "c"u8,
            Properties = new PropertySet(properties.Written),
        });
        Feed(session, target.WrittenSpan.ToArray());

        Assert.That(session.CanAccept(session.Request!, default), Is.False);
        Assert.That(() => session.Accept(target, default), Throws.InvalidOperationException);
    }

    [Test]
    public void Packets_that_a_client_does_not_send_are_unexpected(
        [Values(PacketType.ConnAck, PacketType.SubAck, PacketType.UnsubAck, PacketType.PingResp)]
        PacketType type)
    {
        var session = Connected(MqttVersion.V5);

        Assert.That(FeedBroken(session, type, 0, [0, 1, 0, 0]), Is.EqualTo(PacketDefect.PacketUnexpected));
    }

    private static MqttSession Connected(MqttVersion version, SessionLimits? limits = null, bool will = false)
    {
        var session = new MqttSession(limits ?? Limits);
        Feed(session, Connect(version, "c", will: will));
        session.Accept(new ArrayBufferWriter<byte>(), default);
        return session;
    }

    private static byte[] Connect(
        MqttVersion version, string clientId, bool clean = true, int keepAlive = 10, bool will = false) =>
        PacketSamples.Bytes(target => PacketWriter.Connect(target, new ConnectPacket
        {
            Version = version,
            ClientId = Encoding.UTF8.GetBytes(clientId),
            CleanStart = clean,
            KeepAliveSeconds = (ushort)keepAlive,
            HasWill = will,
            WillTopic = "will"u8,
        }));

    private static byte[] Publish(
        MqttVersion version, int qos, ushort id, string topic = "t", uint alias = 0) =>
        PacketSamples.Bytes(target =>
        {
            var properties = new PropertyWriter(new byte[8]);
            if (alias > 0) properties.Number(PropertyId.TopicAlias, alias);
            PacketWriter.Publish(target, version, new PublishPacket
            {
                Qos = qos,
                PacketId = id,
                Topic = Encoding.UTF8.GetBytes(topic),
                Properties = new PropertySet(properties.Written),
            });
        });

    private static string PublishedTopic(MqttSession session, string topic, uint alias)
    {
        var bytes = Publish(MqttVersion.V5, 0, 0, topic, alias);
        PacketHeader.TryRead(bytes, out var header, out _);
        session.Feed(header, bytes.AsSpan(header.HeaderBytes), out var step);
        Assert.That(step.Kind, Is.EqualTo(SessionStepKind.Publish));
        return Encoding.UTF8.GetString(step.Publish.Topic);
    }

    private static SessionStepKind Feed(MqttSession session, byte[] packet)
    {
        PacketHeader.TryRead(packet, out var header, out _);
        session.Feed(header, packet.AsSpan(header.HeaderBytes), out var step);
        return step.Kind;
    }

    private static PacketDefect Defect(MqttSession session, byte[] packet)
    {
        PacketHeader.TryRead(packet, out var header, out _);
        session.Feed(header, packet.AsSpan(header.HeaderBytes), out var step);
        Assert.That(step.Kind, Is.EqualTo(SessionStepKind.Close));
        return step.Defect;
    }

    private static PacketDefect FeedBroken(MqttSession session, PacketType type, int flags, byte[] body)
    {
        session.Feed(new PacketHeader((byte)(((int)type << 4) | flags), 2, body.Length), body, out var step);
        Assert.That(step.Kind, Is.EqualTo(SessionStepKind.Close));
        return step.Defect;
    }

    private static string Closing(MqttSession session, ReasonCode reason) =>
        Convert.ToHexString(PacketSamples.Bytes(target => session.Close(target, reason)));
}
