using Millrace.Gateway.Bridge.Intake;
using Millrace.Gateway.Sessions;

namespace Millrace.Gateway.Tests.Bridge;

public class ExchangesTests
{
    [TestCase("0:1", true, 0, 1)]
    [TestCase("9223372036854775807:65535", true, long.MaxValue, 65_535)]
    [TestCase("7", false, 7, 0)]
    [TestCase("7:", false, 7, 0)]
    [TestCase("7:70000", false, 7, 0)]
    [TestCase("7:1x", false, 7, 1)]
    [TestCase("x:1", false, 0, 0)]
    public void The_exchange_header_is_a_number_and_a_packet_id(string text, bool legal, long number, int packetId)
    {
        var read = ExchangeHeader.TryRead(System.Text.Encoding.UTF8.GetBytes(text), out var found);
        Assert.That(read, Is.EqualTo(legal));
        if (legal) Assert.That((found.Exchange, (int)found.PacketId), Is.EqualTo((number, packetId)));
    }

    [Test]
    public void What_the_log_refused_is_forgotten_and_what_it_has_is_known_until_it_is_released()
    {
        var exchanges = new BridgeExchanges();
        var (good, bad) = (new BridgeLane(null!, 0) { Durable = 1 }, new BridgeLane(null!, 1));
        exchanges.Add(10, good, 1, 0);
        exchanges.Add(11, good, 2, 0);
        exchanges.Add(12, bad, 1, 0);

        exchanges.Forget(bad);

        Assert.That(exchanges.Open.Select(each => (each.PacketId, each.Number, each.IsDurable)),
            Is.EquivalentTo(new[] { ((ushort)10, 0L, true), ((ushort)11, 1L, false) }));
        exchanges.Remove(10);
        Assert.That(exchanges.Find(10), Is.Null);
        exchanges.Restore(20, 41, good);
        Assert.That(exchanges.NextNumber, Is.EqualTo(42));
    }

    [Test]
    public void What_the_log_may_have_taken_stays_open_and_is_not_durable()
    {
        var exchanges = new BridgeExchanges();
        var lane = new BridgeLane(null!, 0) { Taken = 2, Durable = 1 };
        exchanges.Add(10, lane, 1, 0);
        exchanges.Add(11, lane, 2, 0);

        exchanges.Doubt(lane);
        lane.Durable = lane.Taken;

        Assert.That(exchanges.Open.Select(each => (each.PacketId, each.IsInDoubt, each.IsDurable)),
            Is.EquivalentTo(new[] { ((ushort)10, false, true), ((ushort)11, true, false) }));
    }

    [Test]
    public void Acknowledgements_leave_in_the_order_of_the_messages_when_their_records_are_durable()
    {
        var random = new Random(5);
        var acks = new BridgeAcks();
        BridgeLane[] lanes = [new(null!, 0), new(null!, 1), new(null!, 2)];
        var (sent, left, durable) = (new List<(ushort Id, BridgeLane Lane, long Number)>(), 0, 0);
        for (var step = 0; step < 10_000; step++)
        {
            var lane = lanes[random.Next(3)];
            if (random.Next(2) == 0)
            {
                sent.Add(((ushort)sent.Count, lane, ++lane.Taken));
                acks.Add(new PendingAck(sent[^1].Id, false, lane, lane.Taken));
            }
            else
            {
                lane.Durable = random.NextInt64(lane.Durable, lane.Taken + 1);
            }

            while (acks.TryTake(out var ack)) Assert.That(ack.PacketId, Is.EqualTo(sent[left++].Id));
            durable = sent.FindIndex(each => each.Number > each.Lane.Durable);
            Assert.That(left, Is.EqualTo(durable < 0 ? sent.Count : durable));
        }

        Assert.That(left, Is.Positive);
    }
}
