using Millrace.Mqtt.Session;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>QoS 2 packet by packet, and what is said to acknowledgements that fit nothing.</summary>
public class ExchangeTests
{
    [Test]
    public void A_publish_that_is_open_is_answered_again_and_not_taken()
    {
        var session = SessionDriver.Connected();
        Publish(session, 7);
        Assert.That(session.Repeat(7), Is.False);
        Assert.That(session.AcksAfter(0), Is.EqualTo("50020007"), "one PUBREC for both, once it is durable");

        Assert.That(session.Repeat(7));
        Assert.That(session.AcksAfter(-1), Is.EqualTo("50020007"));
        Assert.That(session.Release(7), Is.EqualTo("70020007"));
        session.Feed(SessionDriver.Publish(2, 7), SessionStepKind.Publish);
    }

    [TestCase(MqttVersion.V5, "70030007" + "92")]
    [TestCase(MqttVersion.V311, "70020007")]
    public void A_release_of_nothing_is_completed(MqttVersion version, string expected)
    {
        var session = SessionDriver.Connected(version, problemInformation: false);

        Assert.That(session.Release(7), Is.EqualTo(expected));
    }

    [Test]
    public void A_release_before_the_answer_is_a_protocol_error()
    {
        var session = SessionDriver.Connected();
        Publish(session, 7);

        Assert.That(session.Defect("62020007"), Is.EqualTo(PacketDefect.ReleaseTooEarly));
    }

    [Test]
    public void What_an_earlier_connection_left_open_is_not_taken_again_and_counts_only_once_it_comes_again()
    {
        var session = SessionDriver.Connected(open: [(1, 11), (2, 12), (3, 13)]);
        Assert.That(session.Repeat(1));
        session.Feed(SessionDriver.Publish(2, 4), SessionStepKind.Publish);
        Assert.That(session.Session.Exchanges!.Last, Is.EqualTo(13));
        Assert.That(session.AcksAfter(-1), Is.EqualTo("50020001"));
        Assert.That(session.Release(2), Is.EqualTo("70020002"));
    }

    [Test]
    public void An_exchange_counts_against_the_receive_maximum_until_it_is_complete()
    {
        var session = SessionDriver.Connected();
        Publish(session, 1);
        Publish(session, 2);
        Assert.That(session.AcksAfter(1), Is.EqualTo("5002000150020002"));
        Assert.That(session.Release(1), Is.EqualTo("70020001"));
        Publish(session, 3);

        Assert.That(session.Defect(Convert.ToHexString(SessionDriver.Publish(1, 4))),
            Is.EqualTo(PacketDefect.ReceiveMaximumExceeded));
    }

    [Test]
    public void A_release_before_the_answer_to_a_repeat_makes_no_room_that_is_not_there()
    {
        var session = SessionDriver.Connected();
        Publish(session, 7);
        Assert.That(session.AcksAfter(0), Is.EqualTo("50020007"));
        Assert.That(session.Repeat(7));
        Assert.That(session.Release(7), Is.EqualTo("70020007"));
        Publish(session, 8);

        Assert.That(session.Defect(Convert.ToHexString(SessionDriver.Publish(1, 9))),
            Is.EqualTo(PacketDefect.ReceiveMaximumExceeded));
    }

    [Test]
    public void Refusals_of_qos_2_free_their_packet_identifier()
    {
        var session = SessionDriver.Connected(problemInformation: false);
        session.Feed(SessionDriver.Publish(2, 1), SessionStepKind.Publish);
        session.Session.Acks.AddAnswered(1, ReasonCode.NotAuthorized, PacketType.PubRec);

        Assert.That(session.AcksAfter(-1), Is.EqualTo("5003000187"));
        Assert.That(session.Release(1), Is.EqualTo("7003000192"));
    }

    [Test]
    public void Reasons_in_words_are_for_clients_that_want_them_and_have_room()
    {
        Assert.That(Refusal(problemInformation: true, packetBytesMax: 0), Has.Length.GreaterThan(20)
            .And.StartsWith("40").And.Contains("1F00"));
        Assert.That(Refusal(problemInformation: true, packetBytesMax: 40), Is.EqualTo("4003000187"));
        Assert.That(Refusal(problemInformation: false, packetBytesMax: 0), Is.EqualTo("4003000187"));
    }

    [Test]
    public void The_last_words_say_why()
    {
        var session = SessionDriver.Connected(problemInformation: false);
        var words = PacketSamples.Bytes(target => session.Session.Close(target, ReasonCode.ProtocolError, "why"));

        Assert.That(Convert.ToHexString(words), Is.EqualTo("E0088206" + "1F0003" + "776879"));
    }

    private static string Refusal(bool problemInformation, uint packetBytesMax)
    {
        var session = SessionDriver.Connected(
            problemInformation: problemInformation, packetBytesMax: packetBytesMax);
        session.Feed(SessionDriver.Publish(1, 1), SessionStepKind.Publish);
        session.Session.Acks.AddAnswered(1, ReasonCode.NotAuthorized, text: "The topic belongs to another device.");
        return session.AcksAfter(-1);
    }

    private static void Publish(SessionDriver session, ushort id)
    {
        session.Feed(SessionDriver.Publish(2, id), SessionStepKind.Publish);
        var number = session.Session.Acks.Add(id, 0, PacketType.PubRec);
        (session.Session.Exchanges ??= new ExchangeTable()).Begin(id, 0, number);
    }
}
