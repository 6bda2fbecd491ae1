namespace Millrace.Gateway.Tests;

public class GatewayOptionsValidatorTests
{
    [Test]
    public void The_defaults_are_valid() => Assert.That(Failures(new GatewayOptions()), Is.Empty);

    [Test]
    public void All_that_is_wrong_is_said_at_once()
    {
        var options = new GatewayOptions();
        options.Mqtt.Address = "0.0.0.0";
        options.Mqtts.Enabled = true;
        options.Mqtts.UnsentBytesMax = new(20_000);
        options.TopicMappings.Add(new() { Template = "a/{x}/{x}" });
        options.TrustedDevices.Add("no such/id");
        options.ConnectTimeout = TimeSpan.Zero;
        options.PacketBytesMax = new(1);
        options.LingerMax = TimeSpan.FromMinutes(1);
        options.LingerBytesMax = new(0);
        options.Limits.Burst = TimeSpan.Zero;
        options.Limits.Hub.MessagesPerSecond = -1;
        options.Limits.Hub.ConnectsPerSecond = 1;
        options.Limits.Device.TopicBytesMax = new(70_000);
        options.Limits.Devices.Add(new() { DeviceIds = ["twice", "no such/name"], InFlightMax = 0 });
        options.Limits.Devices.Add(new() { DeviceIds = ["twice"] });

        var failures = string.Join('\n', Failures(options));

        Assert.That(failures, Does.Contain("GW-0002").And.Contain("GW-0001").And.Contain("GW-0004")
            .And.Contain("no such/id").And.Contain("Gateway:ConnectTimeout").And.Contain("Gateway:PacketBytesMax")
            .And.Contain("Gateway:Mqtts:UnsentBytesMax")
            .And.Contain("Gateway:LingerMax").And.Contain("Gateway:LingerBytesMax"));
        Assert.That(failures, Does.Contain("Gateway:Limits:Burst").And.Contain("Gateway:Limits:Hub:MessagesPerSecond")
            .And.Contain("Gateway:Limits:Device:TopicBytesMax").And.Contain("Gateway:Limits:Devices:0:InFlightMax")
            .And.Contain("no such/name").And.Contain("names twice 2 times")
            .And.Contain("Gateway:Limits:ConnectWaitMax"));
    }

    [TestCase(0, true)]
    [TestCase(1_000, true)]
    [TestCase(1_500, false)]
    [TestCase(1_000_000, true)]
    [TestCase(1_001_000, false)]
    [TestCase(-1_000, false)]
    public void A_batch_lingers_for_whole_milliseconds(int microseconds, bool valid)
    {
        var options = new GatewayOptions { LingerMax = TimeSpan.FromMicroseconds(microseconds) };
        Assert.That(Failures(options).Any(), Is.EqualTo(!valid));
    }

    [TestCase("127.0.0.1", false, true)]
    [TestCase("::1", false, true)]
    [TestCase("localhost", false, true)]
    [TestCase("10.0.0.1", false, false)]
    [TestCase("10.0.0.1", true, true)]
    [TestCase("nowhere", true, false)]
    public void Plain_tcp_binds_loopback_unless_that_is_allowed_otherwise(string address, bool allowed, bool valid)
    {
        var options = new GatewayOptions();
        options.Mqtt.Address = address;
        options.Mqtt.AllowPlainOnAnyAddress = allowed;

        Assert.That(Failures(options).Any(), Is.EqualTo(!valid));
    }

    [Test]
    public void The_tls_listener_is_on_as_soon_as_it_has_a_certificate()
    {
        var options = new GatewayOptions();
        Assert.That(options.Mqtts.IsEnabled, Is.False);
        options.Mqtts.CertificateFile = "server.pem";
        Assert.That(options.Mqtts.IsEnabled);
        Assert.That(Failures(options).Single(), Does.Contain("KeyFile"));
    }

    private static IEnumerable<string> Failures(GatewayOptions options) =>
        new GatewayOptionsValidator().Validate(null, options).Failures ?? [];
}
