using Microsoft.Extensions.Options;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Topics;
using Millrace.Primitives;

namespace Millrace.Gateway.Tests.Limits;

public class GatewayLimitsTests
{
    [Test]
    public void A_named_device_has_its_own_limits_and_for_the_rest_those_of_each()
    {
        var options = new GatewayOptions { InFlightMax = 7 };
        options.Limits.Device.MessagesPerSecond = 10;
        options.Limits.Device.TopicLevelsMax = 3;
        options.Limits.Devices.Add(new NamedDeviceLimitOptions
        {
            DeviceIds = ["big-1", "big-2"],
            MessagesPerSecond = 500,
            InFlightMax = 99,
            PacketBytesMax = ByteSize.FromMiB(200),
        });
        var limits = new GatewayLimits(Options.Create(options), TimeProvider.System);

        var small = limits.Enter("small").Limits;
        var big = limits.Enter("big-2").Limits;

        Assert.That((small.Traffic.MessagesPerSecond, big.Traffic.MessagesPerSecond), Is.EqualTo((10, 500)));
        Assert.That((small.Session.InFlightMax, big.Session.InFlightMax), Is.EqualTo((7, 99)));
        Assert.That(big.Session.PacketBytesMax, Is.EqualTo(options.PacketBytesMax.Bytes), "never above the hub's");
        Assert.That(big.Check("a/b/c"u8), Is.EqualTo(PublishRefusal.None));
        Assert.That(big.Check("a/b/c/"u8), Is.EqualTo(PublishRefusal.TopicTooDeep));
        Assert.That(big.Check(new byte[8_193]), Is.EqualTo(PublishRefusal.TopicTooLong));
    }

    [Test]
    public void A_device_that_comes_again_finds_what_it_had_used_and_idle_ones_are_let_go()
    {
        var options = new GatewayOptions();
        options.Limits.Device.MessagesPerDay = 1;
        var limits = new GatewayLimits(Options.Create(options), TimeProvider.System);
        var day = GatewayLimits.DayOf(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) + 1;
        var meter = limits.Enter("pump-1");
        Assert.That(meter.TryCount(day, 1), Is.True);
        meter.Leave();
        var connected = limits.Enter("connected");
        for (var i = 0; i < 5_000; i++) limits.Enter($"other-{i}").Leave();

        Assert.That(limits.Enter("pump-1"), Is.SameAs(meter));
        Assert.That(limits.Enter("pump-1").TryCount(day, 1), Is.False);
        Assert.That(limits.Enter("connected"), Is.SameAs(connected));
        Assert.That(limits.Count, Is.LessThan(2_000));
    }

    [Test]
    public void Zero_means_no_limit()
    {
        var options = new GatewayOptions();
        var none = new NamedDeviceLimitOptions
        {
            DeviceIds = ["free"],
            ConnectionsMax = 0,
            MessagesPerSecond = 0,
            BytesPerSecond = new ByteSize(0),
            TopicBytesMax = new ByteSize(0),
            TopicLevelsMax = 0,
            SubscriptionsMax = 0,
        };
        options.Limits.Devices.Add(none);
        var meter = new GatewayLimits(Options.Create(options), TimeProvider.System).Enter("free");

        Assert.That(meter.Ask(0), Is.EqualTo(Allowance.Unlimited));
        Assert.That(meter.Limits.ConnectionsMax, Is.EqualTo(int.MaxValue));
        Assert.That(meter.Limits.SubscriptionsMax, Is.EqualTo(int.MaxValue));
        Assert.That(meter.Limits.Check(Enumerable.Repeat((byte)'/', 65_535).ToArray()),
            Is.EqualTo(PublishRefusal.None));
    }
}
