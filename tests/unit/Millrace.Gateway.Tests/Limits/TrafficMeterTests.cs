using Millrace.Gateway.Limits;
using Millrace.Primitives;

namespace Millrace.Gateway.Tests.Limits;

public class TrafficMeterTests
{
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    [Test]
    public void Messages_and_bytes_are_counted_apart_and_the_longer_wait_holds()
    {
        var meter = new TrafficMeter(
            new TrafficOptions { MessagesPerSecond = 10, BytesPerSecond = new ByteSize(1_000) }, Burst);
        Assert.That(meter.Ask(0), Is.EqualTo(new Allowance(10, 1_000)));

        meter.Charge(5, 1_500, 0);
        Assert.That(meter.Ask(0), Is.EqualTo(new Allowance(5, 0)));
        Assert.That(meter.Wait(0).TotalMilliseconds, Is.EqualTo(501).Within(0.1));
    }

    [Test]
    public void A_rate_that_is_named_later_holds_beside_the_own_and_what_was_used_stays_used()
    {
        var meter = new TrafficMeter(new TrafficOptions { BytesPerSecond = new ByteSize(1_000) }, Burst);
        meter.HoldTo(10_000);
        Assert.That(meter.Ask(0).Bytes, Is.EqualTo(1_000), "the lower of the two");
        meter.HoldTo(400);
        Assert.That(meter.Ask(0).Bytes, Is.EqualTo(400));

        meter.Charge(1, 600, 0);
        meter.HoldTo(200);
        Assert.That(meter.Ask(0).Bytes, Is.Zero);
        Assert.That(meter.Wait(0).TotalMilliseconds, Is.EqualTo(505).Within(0.1), "half a second over, and a byte");

        var free = new TrafficMeter(new TrafficOptions(), Burst);
        Assert.That(free.Ask(0), Is.EqualTo(Allowance.Unlimited));
        free.HoldTo(50);
        Assert.That(free.Ask(0).Bytes, Is.EqualTo(50));
    }

    [Test]
    public void A_day_begins_at_midnight_and_none_is_gone_back_to()
    {
        var meter = new TrafficMeter(
            new TrafficOptions { MessagesPerDay = 2, BytesPerDay = new ByteSize(100) }, Burst);

        Assert.That(meter.TryCount(day: 1, 60), Is.True);
        Assert.That(meter.TryCount(day: 1, 41), Is.False, "bytes");
        Assert.That(meter.TryCount(day: 1, 40), Is.True);
        Assert.That(meter.TryCount(day: 1, 0), Is.False, "messages");
        Assert.That(meter.TryCount(day: 2, 100), Is.True);
        Assert.That(meter.TryCount(day: 1, 1), Is.False, "yesterday");
    }

    [TestCase(1, 5, TestName = "The device's day is over")]
    [TestCase(5, 1, TestName = "The hub's day is over")]
    public void What_one_of_two_refuses_neither_counts(int deviceMax, int hubMax)
    {
        var device = new TrafficMeter(new TrafficOptions { MessagesPerDay = deviceMax }, Burst);
        var hub = new TrafficMeter(new TrafficOptions { MessagesPerDay = hubMax }, Burst);

        Assert.That(device.TryCount(day: 1, 1, hub), Is.True);
        for (var i = 0; i < 10; i++) Assert.That(device.TryCount(day: 1, 1, hub), Is.False);

        Assert.That(LeftOf(device), Is.EqualTo(deviceMax - 1));
        Assert.That(LeftOf(hub), Is.EqualTo(hubMax - 1));
        var free = new TrafficMeter(new TrafficOptions(), Burst);
        Assert.That(free.TryCount(day: 1, 1, hub), Is.False, "the hub's holds for whoever has none");

        static int LeftOf(TrafficMeter meter)
        {
            var left = 0;
            while (meter.TryCount(day: 1, 1)) left++;
            return left;
        }
    }

    [Test]
    public void Connects_take_places_in_a_row_and_none_that_is_too_far()
    {
        var meter = new TrafficMeter(new TrafficOptions { ConnectsPerSecond = 2 }, Burst);
        var max = TimeSpan.FromSeconds(1);
        var waits = new List<double>();
        for (var i = 0; i < 4; i++)
        {
            Assert.That(meter.TryConnect(0, max, out var wait), Is.True);
            waits.Add(Math.Round(wait.TotalSeconds, 3));
        }

        Assert.That(waits, Is.EqualTo(new[] { 0, 0, 0.5, 1 }));
        Assert.That(meter.TryConnect(0, max, out _), Is.False);
        Assert.That(meter.TryConnect(600_000_000, max, out _), Is.True);
    }

    [Test]
    public void Counting_allocates_nothing()
    {
        var meter = new TrafficMeter(
            new TrafficOptions { MessagesPerSecond = 1_000, BytesPerSecond = new ByteSize(1_000), MessagesPerDay = 5 },
            Burst);
        Use(meter);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) Use(meter);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void Use(TrafficMeter meter)
    {
        _ = meter.Ask(1);
        meter.Charge(1, 1, 1);
        _ = meter.Wait(1);
        _ = meter.TryCount(1, 1);
    }
}
