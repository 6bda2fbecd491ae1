using Millrace.Mqtt.Session;

namespace Millrace.Mqtt.Tests.Session;

public class OutboundTests
{
    [Test]
    public void A_window_sends_as_much_as_the_client_takes()
    {
        var window = new OutboundWindow(2);
        Assert.That(window.Send(1, 1), Is.EqualTo(1));
        Assert.That(window.Send(2, 2), Is.EqualTo(2));
        Assert.That(window.MaySend(3), Is.False);

        Assert.That(Acknowledge(window, PacketType.PubRec, 2), Is.EqualTo((AcknowledgeOutcome.Received, 2)));
        Assert.That(window.MaySend(3), Is.False, "QoS 2 counts until PUBCOMP (§4.9)");
        Assert.That(Acknowledge(window, PacketType.PubComp, 2), Is.EqualTo((AcknowledgeOutcome.Done, 2)));
        Assert.That(window.MaySend(3));
        Assert.That(Acknowledge(window, PacketType.PubAck, 1), Is.EqualTo((AcknowledgeOutcome.Done, 1)));
        Assert.That(window.Count, Is.Zero);
    }

    [TestCase(1, PacketType.PubRec)]
    [TestCase(1, PacketType.PubComp)]
    [TestCase(2, PacketType.PubAck)]
    [TestCase(2, PacketType.PubComp)]
    public void An_acknowledgement_of_another_qos_does_not_fit(int qos, PacketType type)
    {
        var window = new OutboundWindow(2);
        window.Send(1, qos);

        Assert.That(Acknowledge(window, type, 1).Outcome, Is.EqualTo(AcknowledgeOutcome.Mismatch));
    }

    [Test]
    public void What_is_not_in_flight_is_unknown_and_a_refusal_ends_a_message()
    {
        var window = new OutboundWindow(2);
        Assert.That(Acknowledge(window, PacketType.PubAck, 1).Outcome, Is.EqualTo(AcknowledgeOutcome.Unknown));

        window.Send(1, 2);
        var outcome = window.Acknowledge(PacketType.PubRec, 1, ReasonCode.QuotaExceeded, out _);
        Assert.That(outcome, Is.EqualTo(AcknowledgeOutcome.Done));
    }

    [Test]
    public void A_release_that_goes_on_takes_no_room()
    {
        var window = new OutboundWindow(1);
        Assert.That(window.Resume(3), Is.EqualTo(3));
        Assert.That(window.MaySend(4));
        Assert.That(Acknowledge(window, PacketType.PubRec, 3).Outcome, Is.EqualTo(AcknowledgeOutcome.Received));
        Assert.That(Acknowledge(window, PacketType.PubComp, 3), Is.EqualTo((AcknowledgeOutcome.Done, 3)));
    }

    [Test]
    public void Packet_identifiers_recur_and_none_is_used_twice_at_a_time()
    {
        var window = new OutboundWindow(10);
        Assert.That(OutboundWindow.PacketIdOf(65_535), Is.EqualTo(65_535));
        Assert.That(OutboundWindow.PacketIdOf(65_536), Is.EqualTo(1));

        window.Send(1, 1);
        Assert.That(window.MaySend(65_536), Is.False);
        Assert.That(window.MaySend(65_537));
    }

    [Test]
    public void A_topic_is_written_out_once_and_then_stands_as_its_alias()
    {
        var session = SessionDriver.Connected(aliasMax: 5);

        Assert.That(session.Deliver("a/b", 0, 0), Is.EqualTo("300A" + "0003612F62" + "03230001" + "00"));
        Assert.That(session.Deliver("a/b", 0, 0), Is.EqualTo("3007" + "0000" + "03230001" + "00"));
        Assert.That(session.Deliver("c", 0, 0), Is.EqualTo("3005" + "000163" + "00" + "00"), "the server keeps to one");
    }

    [Test]
    public void A_message_carries_its_expiry_and_its_subscriptions() =>
        Assert.That(SessionDriver.Connected().Deliver("c", 1, 9, expiry: 60, ids: [1, 300]),
            Is.EqualTo("3211" + "000163" + "0009" + "0A" + "020000003C" + "0B01" + "0BAC02" + "00"));

    [Test]
    public void In_3_1_1_a_message_has_no_properties() =>
        Assert.That(SessionDriver.Connected(MqttVersion.V311, aliasMax: 5).Deliver("c", 1, 9, expiry: 60, ids: [1]),
            Is.EqualTo("3206" + "000163" + "0009" + "00"));

    [Test]
    public void A_message_larger_than_the_client_takes_is_not_written()
    {
        var session = SessionDriver.Connected(packetBytesMax: 60, aliasMax: 5);
        Assert.That(session.Deliver("t", 0, 0, payloadBytes: 60), Is.Null);
        Assert.That(session.Deliver("t", 0, 0), Does.Contain("000174"), "the alias was not lost with it");
    }

    private static (AcknowledgeOutcome Outcome, long Sequence) Acknowledge(
        OutboundWindow window, PacketType type, ushort id)
    {
        var outcome = window.Acknowledge(type, id, ReasonCode.Success, out var sequence);
        return (outcome, sequence);
    }
}
