using System.Net;
using Millrace.Gateway.Limits;

namespace Millrace.Gateway.Tests.Limits;

public class LoginThrottleTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    private readonly LoginLimitOptions _options = new()
    {
        DeviceFailuresPerMinute = 6,
        AddressFailuresPerMinute = 60,
        DelayMax = TimeSpan.FromSeconds(15),
    };

    [Test]
    public void A_device_name_at_which_was_guessed_waits_wherever_the_next_guess_comes_from()
    {
        var throttle = new LoginThrottle(_options);
        for (var i = 0; i < 6; i++) throttle.Failed("pump-1", Here, 0);

        Assert.That(throttle.Delay("pump-1", There, 0).TotalSeconds, Is.EqualTo(10).Within(0.01));
        Assert.That(throttle.Delay("pump-2", There, 0), Is.EqualTo(TimeSpan.Zero));
        Assert.That(throttle.Delay("pump-1", There, 11_000_000_000), Is.EqualTo(TimeSpan.Zero), "later");
    }

    [Test]
    public void A_device_is_never_locked_out()
    {
        var throttle = new LoginThrottle(_options);
        for (var i = 0; i < 100_000; i++) throttle.Failed("pump-1", Here, 0);

        Assert.That(throttle.Delay("pump-1", There, 0), Is.EqualTo(_options.DelayMax));
    }

    [Test]
    public void A_minute_after_the_last_guess_nothing_is_left_of_it()
    {
        var throttle = new LoginThrottle(_options);
        const long hour = 3_600_000_000_000;
        for (var at = 0L; at < hour; at += 10_000_000) throttle.Failed("pump-1", Here, at);

        Assert.That(throttle.Delay("pump-1", Here, hour), Is.EqualTo(_options.DelayMax));
        Assert.That(throttle.Delay("pump-1", Here, hour + 60_000_000_000), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void An_address_from_which_many_names_were_tried_waits_whatever_the_next_name_is()
    {
        var throttle = new LoginThrottle(_options);
        for (var i = 0; i < 62; i++) throttle.Failed($"guess-{i}", Here, 0);

        Assert.That(throttle.Delay(null, Here, 0).TotalSeconds, Is.EqualTo(3).Within(0.01));
        Assert.That(throttle.Delay("pump-1", Here, 0).TotalSeconds, Is.EqualTo(3).Within(0.01));
        Assert.That(throttle.Delay("pump-1", There, 0), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Addresses_of_one_ipv6_network_are_one_and_mapped_ones_are_ipv4()
    {
        var throttle = new LoginThrottle(_options);
        for (var i = 0; i < 62; i++) throttle.Failed(null, IPAddress.Parse($"2001:db8::{i + 1:x}"), 0);
        for (var i = 0; i < 62; i++) throttle.Failed(null, Here.MapToIPv6(), 0);

        Assert.That(throttle.Delay(null, IPAddress.Parse("2001:db8::ffff"), 0), Is.GreaterThan(TimeSpan.Zero));
        Assert.That(throttle.Delay(null, IPAddress.Parse("2001:db8:0:1::1"), 0), Is.EqualTo(TimeSpan.Zero));
        Assert.That(throttle.Delay(null, Here, 0), Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void Made_up_names_do_not_fill_the_memory()
    {
        var throttle = new LoginThrottle(new LoginLimitOptions { TrackedMax = 100 });
        for (var i = 0; i < 1_000; i++) throttle.Failed($"warm-{i}", Here, 0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 100_000; i++) throttle.Failed($"made-up-{i}", Here, 0);

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(100_000));
        GC.KeepAlive(throttle);
    }
}
