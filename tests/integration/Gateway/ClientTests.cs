using System.Security.Cryptography.X509Certificates;
using Millrace.Stores.Identities;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>With clients that others wrote: mosquitto_pub and MQTTnet.</summary>
public class ClientTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private TemporaryFolder _folder = null!;
    private Certificates _certificates = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _certificates = new Certificates(_folder.Path);
        _host = await GatewayHost.StartAsync(_certificates, ("Gateway:InFlightMax", "1000"));
        await _host.AddDeviceAsync("pump-1");
        await _host.AddDeviceAsync("cert-1", device => ByThumbprint(device, _certificates.DeviceThumbprint));
        await _host.AddDeviceAsync("old-1", device => ByThumbprint(device, _certificates.OldThumbprint));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Mosquitto_pub_with_the_device_key_over_plain_tcp(
        [Values("mqttv311", "mqttv5")] string version, [Values("0", "1", "2")] string qos)
    {
        var (exit, output) = await Mosquitto().RunAsync(
            "-h", "127.0.0.1", "-p", $"{_host.Port}", "-V", version, "-q", qos, "-u", "pump-1", "-P", GatewayHost.Key,
            "-t", "devices/pump-1/messages/events/a=1", "-m", "{\"t\":1}");

        Assert.That(exit, Is.Zero, output);
        var record = (await _host.TelemetryAsync(1))[0];
        Assert.That((record.DeviceId, record.Body, record.Headers["app.a"]), Is.EqualTo(("pump-1", "{\"t\":1}", "1")));
    }

    [Test]
    public async Task Mosquitto_pub_with_a_token_over_tls([Values("mqttv311", "mqttv5")] string version)
    {
        var token = Sas.Token("localhost/devices/pump-1", GatewayHost.Key, DateTimeOffset.UtcNow.AddHours(1));
        var (exit, output) = await Mosquitto().RunAsync(
            "-h", "localhost", "-p", $"{_host.TlsPort}", "--cafile", _certificates.CaFile, "-V", version, "-q", "1",
            "-i", "pump-1", "-u", "localhost/pump-1/?api-version=2021-04-12", "-P", token,
            "--tls-alpn", "mqtt", "-t", "telemetry", "-m", "hello");

        Assert.That(exit, Is.Zero, output);
        var record = (await _host.TelemetryAsync(1))[0];
        Assert.That((record.DeviceId, record.Body, record.Headers["auth-method"]),
            Is.EqualTo(("pump-1", "hello", "sas")));
    }

    [TestCase("cert-1", true, TestName = "Mosquitto_pub with the right certificate")]
    [TestCase("pump-1", false, TestName = "Mosquitto_pub with a certificate for a device that has keys")]
    [TestCase("old-1", false, TestName = "Mosquitto_pub with another device's certificate")]
    public async Task Mosquitto_pub_with_a_client_certificate(string device, bool taken)
    {
        var (exit, output) = await Mosquitto().RunAsync(
            "-h", "localhost", "-p", $"{_host.TlsPort}", "--cafile", _certificates.CaFile, "-q", "1",
            "--cert", _certificates.DeviceCertificateFile, "--key", _certificates.DeviceKeyFile, "-u", device,
            "-t", $"devices/{device}/messages/events/", "-m", "hello");

        Assert.That(exit == 0, Is.EqualTo(taken), output);
        var records = await _host.TelemetryAsync(taken ? 1 : 0);
        if (taken) Assert.That(records[0].Headers["auth-method"], Is.EqualTo("x509"));
    }

    [Test]
    public async Task Mosquitto_pub_with_a_certificate_whose_time_is_over()
    {
        var (exit, _) = await Mosquitto().RunAsync(
            "-h", "localhost", "-p", $"{_host.TlsPort}", "--cafile", _certificates.CaFile, "-q", "1",
            "--cert", _certificates.OldCertificateFile, "--key", _certificates.OldKeyFile, "-u", "old-1",
            "-t", "telemetry", "-m", "hello");

        Assert.That(exit, Is.Not.Zero);
        Assert.That(_host.Meters["refusals/certificate-expired"], Is.EqualTo(1));
    }

    [Test]
    public async Task Mosquitto_pub_with_many_lines_and_properties()
    {
        var lines = Path.Combine(_folder.Path, "lines");
        await File.WriteAllLinesAsync(lines, Enumerable.Range(1, 500).Select(i => $"{i}"));
        var shell = Tool.Find("sh")!;
        _ = Mosquitto();
        var (exit, output) = await shell.RunAsync("-c",
            $"mosquitto_pub -h 127.0.0.1 -p {_host.Port} -V mqttv5 -q 1 -u pump-1 -P {GatewayHost.Key} -t telemetry -l "
            + $"-D publish user-property line 7 -D publish content-type text/plain < {lines}");

        Assert.That(exit, Is.Zero, output);
        var records = await _host.TelemetryAsync(500);
        Assert.That(records.Select(r => r.Body), Is.EqualTo(Enumerable.Range(1, 500).Select(i => $"{i}")));
        Assert.That(records.Select(r => r.Headers["app.line"]), Is.All.EqualTo("7"));
        Assert.That(records.Select(r => r.Headers["content-type"]), Is.All.EqualTo("text/plain"));
    }

    [Test]
    public async Task Mqttnet_with_many_publishes_in_flight_over_tls()
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var authority = X509CertificateLoader.LoadCertificateFromFile(_certificates.CaFile);
        await client.ConnectAsync(new MqttClientOptionsBuilder()
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithTcpServer("localhost", _host.TlsPort)
            .WithTlsOptions(tls => tls.UseTls().WithTrustChain([authority]))
            .WithCredentials("pump-1", GatewayHost.Key)
            .Build());

        var publishes = Enumerable.Range(0, 1_000).Select(i => client.PublishAsync(new MqttApplicationMessageBuilder()
            .WithTopic("telemetry").WithPayload($"{i}")
            .WithUserProperty("n", System.Text.Encoding.UTF8.GetBytes($"{i}"))
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build()));
        var results = await Task.WhenAll(publishes);

        Assert.That(results.Select(r => r.ReasonCode), Is.All.EqualTo(MqttClientPublishReasonCode.Success));
        var records = await _host.TelemetryAsync(1_000);
        Assert.That(records.Select(r => r.Headers["app.n"]), Is.EqualTo(records.Select(r => r.Body)));
        await client.DisconnectAsync();
    }

    [Test]
    public async Task Mosquitto_sub_gets_what_waited_for_it_and_what_comes(
        [Values("mqttv311", "mqttv5")] string version, [Values("1", "2")] string qos)
    {
        _ = Mosquitto();
        var subscriber = Tool.Find("mosquitto_sub")!;
        string[] session =
        [
            "-h", "127.0.0.1", "-p", $"{_host.Port}", "-V", version, "-q", qos, "-i", "pump-1", "-u", "pump-1",
            "-P", GatewayHost.Key, "-t", "devices/pump-1/#", "-c",
            .. version == "mqttv5" ? ["-x", "600"] : Array.Empty<string>(),
        ];
        var (left, first) = await subscriber.RunAsync([.. session, "-E"]);
        Assert.That(left, Is.Zero, first);
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 0, "away");
        await _host.SendAsync("pump-1", "waited", qos: 2);
        await Eventually.TrueAsync(() => _host.Meters["deliveries/queued"] == 1, "queued");

        var receiving = subscriber.RunAsync([.. session, "-C", "2", "-W", "20"]);
        await Eventually.TrueAsync(() => _host.Meters["deliveries/sent"] == 1, "sent");
        await _host.SendAsync("pump-1", "came", qos: 2);
        var (exit, output) = await receiving;
        Assert.That((exit, output), Is.EqualTo((0, "waited\ncame\n")));
    }

    private static DeviceIdentity ByThumbprint(DeviceIdentity device, string thumbprint) => device with
    {
        Authentication = DeviceAuthentication.Thumbprints,
        PrimaryKey = "",
        SecondaryKey = "",
        SecondaryThumbprint = thumbprint,
    };

    private static Tool Mosquitto()
    {
        var tool = Tool.Find("mosquitto_pub");
        if (tool is null) Assert.Ignore("mosquitto_pub is not installed (Debian: mosquitto-clients).");
        return tool!;
    }
}
