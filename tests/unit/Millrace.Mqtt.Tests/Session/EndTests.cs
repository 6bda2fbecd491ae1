namespace Millrace.Mqtt.Tests.Session;

/// <summary>The last packet carries a reason that it may carry (MQTT 5 §3.2.2.2, §3.14.2.1).</summary>
public class EndTests
{
    [TestCase(ReasonCode.ServerUnavailable, ReasonCode.ServerBusy)]
    [TestCase(ReasonCode.BadAuthenticationMethod, ReasonCode.ProtocolError)]
    [TestCase(ReasonCode.ClientIdentifierNotValid, ReasonCode.ProtocolError)]
    [TestCase(ReasonCode.Banned, ReasonCode.NotAuthorized)]
    [TestCase(ReasonCode.ServerShuttingDown, ReasonCode.ServerShuttingDown)]
    [TestCase(ReasonCode.SessionTakenOver, ReasonCode.SessionTakenOver)]
    public void In_disconnect(ReasonCode reason, ReasonCode written)
    {
        var session = SessionDriver.Connected().Session;
        var packet = PacketSamples.Bytes(target => session.Close(target, reason));
        Assert.That((packet[0], (ReasonCode)packet[2]), Is.EqualTo(((byte)0xE0, written)));
    }

    [TestCase(ReasonCode.ServerShuttingDown, ReasonCode.ServerUnavailable)]
    [TestCase(ReasonCode.SessionTakenOver, ReasonCode.UnspecifiedError)]
    [TestCase(ReasonCode.AdministrativeAction, ReasonCode.NotAuthorized)]
    [TestCase(ReasonCode.MaximumConnectTime, ReasonCode.NotAuthorized)]
    [TestCase(ReasonCode.ServerUnavailable, ReasonCode.ServerUnavailable)]
    [TestCase(ReasonCode.BadAuthenticationMethod, ReasonCode.BadAuthenticationMethod)]
    public void In_connack(ReasonCode reason, ReasonCode written)
    {
        var session = SessionDriver.Authenticating().Session;
        var packet = PacketSamples.Bytes(target => session.Close(target, reason));
        Assert.That((packet[0], (ReasonCode)packet[3]), Is.EqualTo(((byte)0x20, written)));
    }

    [Test]
    public void Every_failure_has_a_nearest_one_in_every_packet_that_tells_failures()
    {
        foreach (var type in Enum.GetValues<PacketType>().Where(type => type.MayCarry(ReasonCode.UnspecifiedError)))
        {
            foreach (var reason in Enum.GetValues<ReasonCode>().Where(each => each.IsFailure()))
            {
                Assert.That(type.MayCarry(type.Nearest(reason)), $"{type} {reason}");
                Assert.That(type.Nearest(reason).IsFailure(), $"{type} {reason}");
            }
        }
    }
}
