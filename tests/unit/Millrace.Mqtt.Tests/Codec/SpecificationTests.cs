using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Properties;

namespace Millrace.Mqtt.Tests.Codec;

/// <summary>Packets written out by hand after the tables and figures of the specifications.</summary>
public class SpecificationTests
{
    [Test]
    public void The_connect_of_3_1_1_figure_3_6()
    {
        // Name MQTT, level 4, flags 1100_1110, keep-alive 10; client "c", will "w" -> "bye", user "u", password "p".
        byte[] body =
        [
            0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 0b1100_1110, 0, 10,
            0, 1, (byte)'c', 0, 1, (byte)'w', 0, 3, (byte)'b', (byte)'y', (byte)'e', 0, 1, (byte)'u', 0, 1, (byte)'p',
        ];

        Assert.That(ConnectPacket.TryRead(body, out var packet), Is.EqualTo(PacketDefect.None));

        Assert.That(packet.Version, Is.EqualTo(MqttVersion.V311));
        Assert.That(packet.CleanStart);
        Assert.That(packet.KeepAliveSeconds, Is.EqualTo(10));
        Assert.That(Text(packet.ClientId), Is.EqualTo("c"));
        Assert.That(packet.WillQos, Is.EqualTo(1));
        Assert.That(packet.WillRetain, Is.False);
        Assert.That(Text(packet.WillTopic), Is.EqualTo("w"));
        Assert.That(Text(packet.WillPayload), Is.EqualTo("bye"));
        Assert.That(Text(packet.UserName), Is.EqualTo("u"));
        Assert.That(Text(packet.Password), Is.EqualTo("p"));
    }

    [Test]
    public void The_connect_of_5_figure_3_6()
    {
        byte[] body =
        [
            0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 5, 0b1100_1110, 0, 10,
            5, 17, 0, 0, 0, 10, // properties: session expiry 10
            0, 1, (byte)'c',
            2, 1, 1, // will properties: payload format 1
            0, 1, (byte)'w', 0, 0, 0, 1, (byte)'u', 0, 1, (byte)'p',
        ];

        Assert.That(ConnectPacket.TryRead(body, out var packet), Is.EqualTo(PacketDefect.None));

        Assert.That(packet.Properties.Number(PropertyId.SessionExpiryInterval, 0), Is.EqualTo(10));
        Assert.That(packet.WillProperties.Number(PropertyId.PayloadFormatIndicator, 0), Is.EqualTo(1));
        Assert.That(packet.WillPayload.IsEmpty);
    }

    [Test]
    public void The_publish_of_3_1_1_figure_3_11()
    {
        byte[] body = [0, 3, (byte)'a', (byte)'/', (byte)'b', 0, 10, (byte)'!'];

        var defect = PublishPacket.TryRead(0b0010, body, MqttVersion.V311, out var packet);

        Assert.That(defect, Is.EqualTo(PacketDefect.None));

        Assert.That((Text(packet.Topic), packet.PacketId, packet.Qos, Text(packet.Payload)),
            Is.EqualTo(("a/b", 10, 1, "!")));
    }

    [Test]
    public void The_subscribe_of_3_1_1_figure_3_23()
    {
        byte[] body = [0, 10, 0, 3, (byte)'a', (byte)'/', (byte)'b', 1, 0, 3, (byte)'c', (byte)'/', (byte)'d', 2];

        Assert.That(SubscribePacket.TryRead(body, MqttVersion.V311, out var packet), Is.EqualTo(PacketDefect.None));

        var filters = new List<(string, int)>();
        foreach (var each in packet) filters.Add((Text(each.Filter), each.Qos));
        Assert.That(filters, Is.EqualTo(new[] { ("a/b", 1), ("c/d", 2) }));
        Assert.That(packet.FilterCount, Is.EqualTo(2));
    }

    [TestCase(MqttVersion.V311, ReasonCode.Success, "40020007")]
    [TestCase(MqttVersion.V5, ReasonCode.Success, "40020007")]
    [TestCase(MqttVersion.V5, ReasonCode.NotAuthorized, "4003000787")]
    public void A_puback(MqttVersion version, ReasonCode reason, string hexadecimal)
    {
        var bytes = PacketSamples.Bytes(target => PacketWriter.Reason(target, version,
            new ReasonPacket { Type = PacketType.PubAck, PacketId = 7, Reason = reason }));

        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(hexadecimal));
    }

    [TestCase(MqttVersion.V311, "20020005")]
    [TestCase(MqttVersion.V5, "2003000500")]
    public void A_connack(MqttVersion version, string hexadecimal)
    {
        var bytes = PacketSamples.Bytes(
            target => PacketWriter.ConnAck(target, version, new ConnAckPacket { Code = 5 }));

        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(hexadecimal));
    }

    [TestCase(0b1100_0001, PacketDefect.ConnectFlagsInvalid, TestName = "The reserved connect flag is set")]
    [TestCase(0b0001_1110, PacketDefect.ConnectFlagsInvalid, TestName = "The will has QoS 3")]
    [TestCase(0b0000_1010, PacketDefect.ConnectFlagsInvalid, TestName = "A QoS without a will")]
    [TestCase(0b0010_0010, PacketDefect.ConnectFlagsInvalid, TestName = "Retain without a will")]
    [TestCase(0b0100_0010, PacketDefect.ConnectFlagsInvalid, TestName = "A password without a user name in 3.1.1")]
    [TestCase(0b0000_0010, PacketDefect.None, TestName = "Clean session alone is good")]
    public void Connect_flags(int flags, PacketDefect expected)
    {
        byte[] body = [0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, (byte)flags, 0, 10, 0, 1, (byte)'c'];

        Assert.That(ConnectPacket.TryRead(body, out _), Is.EqualTo(expected));
    }

    [TestCase("000000", PacketDefect.TopicMissing, TestName = "No topic and no alias")]
    [TestCase("0001610023", PacketDefect.None, TestName = "A topic and an empty property list")]
    [TestCase("00012300", PacketDefect.TopicInvalid, TestName = "A wildcard in a topic name")]
    [TestCase("0001ff00", PacketDefect.Utf8Invalid, TestName = "A topic that is not UTF-8")]
    [TestCase("00010000", PacketDefect.Utf8Invalid, TestName = "A topic with U+0000")]
    [TestCase("0003eda08000", PacketDefect.Utf8Invalid, TestName = "A topic with half a surrogate pair")]
    [TestCase("00ff61", PacketDefect.Truncated, TestName = "A topic longer than the packet")]
    [TestCase("00016103230000", PacketDefect.TopicAliasInvalid, TestName = "Topic alias 0")]
    [TestCase("00016103000101", PacketDefect.PropertyUnknown, TestName = "Property 0")]
    [TestCase("00016104010101015a", PacketDefect.PropertyRepeated, TestName = "A property twice")]
    [TestCase("000161020102", PacketDefect.PropertyValueInvalid, TestName = "Payload format 2")]
    [TestCase("00016105110000000a", PacketDefect.PropertyUnknown, TestName = "A session expiry in a publish")]
    [TestCase("00016180808080", PacketDefect.LengthInvalid, TestName = "A property length without an end")]
    [TestCase("0001610501", PacketDefect.Truncated, TestName = "A property list longer than the packet")]
    [TestCase("000161040800012b", PacketDefect.PropertyValueInvalid, TestName = "A wildcard in a response topic")]
    public void Publish_of_qos_0_in_version_5(string body, PacketDefect expected) =>
        Assert.That(PublishPacket.TryRead(0, Convert.FromHexString(body), MqttVersion.V5, out _), Is.EqualTo(expected));

    [TestCase("82", "000a00000161" + "03", PacketDefect.SubscriptionOptionOutOfRange,
        TestName = "Subscribe with QoS 3")]
    [TestCase("82", "000a00", PacketDefect.FiltersMissing, TestName = "Subscribe to nothing")]
    [TestCase("82", "0000000001" + "6101", PacketDefect.PacketIdZero, TestName = "Subscribe with identifier 0")]
    [TestCase("82", "000a00000161" + "30", PacketDefect.SubscriptionOptionOutOfRange, TestName = "Retain handling 3")]
    [TestCase("82", "000a00000161" + "c0", PacketDefect.SubscriptionOptionsReserved, TestName = "Reserved options")]
    [TestCase("82", "000a000000" + "01", PacketDefect.FilterEmpty, TestName = "An empty filter")]
    public void Subscriptions(string _, string body, PacketDefect expected) =>
        Assert.That(
            SubscribePacket.TryRead(Convert.FromHexString(body), MqttVersion.V5, out var _), Is.EqualTo(expected));

    [TestCase(PacketDefect.SubscriptionOptionOutOfRange, ReasonCode.ProtocolError)]
    [TestCase(PacketDefect.SubscriptionOptionsReserved, ReasonCode.MalformedPacket)]
    [TestCase(PacketDefect.FilterEmpty, ReasonCode.ProtocolError)]
    [TestCase(PacketDefect.TopicMissing, ReasonCode.ProtocolError)]
    public void What_can_be_read_and_may_not_stand_there_is_a_protocol_error(PacketDefect defect, ReasonCode reason) =>
        Assert.That(defect.Reason(), Is.EqualTo(reason));

    [TestCase(0x00, TestName = "Packet type 0")]
    [TestCase(0x11, TestName = "Flags of CONNECT")]
    [TestCase(0x80, TestName = "SUBSCRIBE without its flags")]
    [TestCase(0x36, TestName = "PUBLISH with QoS 3")]
    [TestCase(0xC1, TestName = "Flags of PINGREQ")]
    public void Fixed_headers_that_are_malformed(int first)
    {
        Assert.That(PacketHeader.TryRead([(byte)first, 0], out _, out var defect), Is.False);
        Assert.That(defect, Is.EqualTo(PacketDefect.HeaderInvalid));
    }

    [TestCase("#", true)]
    [TestCase("+/a/#", true)]
    [TestCase("a/+", true)]
    [TestCase("/", true)]
    [TestCase("a#", false)]
    [TestCase("a/#/b", false)]
    [TestCase("a+/b", false)]
    [TestCase("+a", false)]
    [TestCase("", false)]
    public void Topic_filters(string filter, bool legal) =>
        Assert.That(TopicFilter.IsValid(Encoding.UTF8.GetBytes(filter)), Is.EqualTo(legal));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
