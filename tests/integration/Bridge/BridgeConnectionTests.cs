using Millrace.Integration.Tests.Gateway;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>How bridges log in, how many there may be, and what they say of themselves.</summary>
public class BridgeConnectionTests
{
    [Test]
    public async Task Tls_with_a_client_certificate_and_a_password_from_a_file()
    {
        using var folder = new TemporaryFolder();
        var certificates = new Certificates(folder.Path);
        await using var broker = await SecureAsync(folder, certificates);
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port,
            more: Secure(folder, certificates.CaFile, "right\n")));
        await BridgeIntakeTests.ConnectedAsync(host);

        var status = await StatusAsync(host, one => one.Connected);
        Assert.That(status.Broker, Is.EqualTo($"mqtts://localhost:{broker.Port}"));
        Assert.That(status.LastError, Is.Null);
    }

    [TestCase("wrong", true, "GW-0103", TestName = "A wrong password is refused by the broker")]
    [TestCase("right", false, "GW-0104", TestName = "A broker that another root has signed is not trusted")]
    public async Task What_is_wrong_is_told_and_nothing_is_subscribed(string password, bool rightRoot, string code)
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        var certificates = new Certificates(folder.Path);
        await using var broker = await SecureAsync(folder, certificates);
        var root = rightRoot ? certificates.CaFile : new Certificates(other.Path).CaFile;
        await using var host = await GatewayHost.StartAsync(BridgeSettings.Of(broker.Port,
            more: Secure(folder, root, password)));

        var status = await StatusAsync(host, one => one.LastError is not null);

        Assert.That(status.LastError, Does.StartWith(code));
        Assert.That(status.Connected, Is.False);
        Assert.That(host.Meters["bridge.connected/plant"], Is.Zero);
    }

    [Test]
    public async Task Several_bridges_run_side_by_side_and_one_that_is_down_harms_no_other()
    {
        await using var first = await Mosquitto.StartAsync();
        await using var second = await Mosquitto.StartAsync();
        await using var down = new CutProxy(second.Port);
        down.Down(true);
        await using var host = await GatewayHost.StartAsync([
            .. BridgeSettings.Of(first.Port, name: "one"),
            .. BridgeSettings.Of(second.Port, qos: 2, name: "two", index: 1),
            .. BridgeSettings.Of(down.Port, name: "three", index: 2),
        ]);
        await BridgeIntakeTests.ConnectedAsync(host, "one");
        await BridgeIntakeTests.ConnectedAsync(host, "two");

        foreach (var broker in new[] { first, second })
        {
            await using var publisher = await Publisher.ConnectAsync(broker.Port);
            await publisher.NumbersAsync(Numbers.Topics, 0, 20, 1);
        }

        var records = await host.TelemetryAsync(240);
        Numbers.AssertOnce(records.Where(record => record.Headers["auth-method"] == "bridge:one"), 20);
        Numbers.AssertOnce(records.Where(record => record.Headers["auth-method"] == "bridge:two"), 20);
        await Eventually.TrueAsync(() => host.Meters["bridge.failures/three"] > 1, "the third tries again");
        down.Down(false);
        await BridgeIntakeTests.ConnectedAsync(host, "three");
    }

    [Test]
    public async Task Two_gateways_share_a_subscription()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var first = await SharingAsync(broker, "gateway-1");
        await using var second = await SharingAsync(broker, "gateway-2");
        await using var publisher = await Publisher.ConnectAsync(broker.Port);

        await publisher.NumbersAsync(Numbers.Topics, 0, 100, 1);

        await Eventually.TrueAsync(
            async () => (await first.TelemetryAsync()).Count + (await second.TelemetryAsync()).Count >= 600,
            "all came");
        var (one, two) = (await first.TelemetryAsync(), await second.TelemetryAsync());
        Assert.That(one, Is.Not.Empty);
        Assert.That(two, Is.Not.Empty);
        Assert.That(one.Concat(two).Select(record => (record.DeviceId, Numbers.Number(record.Body))),
            Is.EquivalentTo(Numbers.Of(one.Concat(two)).Keys.SelectMany(
                device => Enumerable.Range(0, 100).Select(number => (device, number)))));
    }

    private static async Task<GatewayHost> SharingAsync(Mosquitto broker, string client)
    {
        var host = await GatewayHost.StartAsync(
            BridgeSettings.Of(broker.Port, client: client, more: [("SharedGroup", "gateways")]));
        await BridgeIntakeTests.ConnectedAsync(host);
        return host;
    }

    private static (string Key, string Value)[] Secure(TemporaryFolder folder, string root, string password)
    {
        File.WriteAllText(folder.Sub("bridge.password"), password);
        return
        [
            ("Host", "localhost"), ("Tls:Enabled", "true"), ("Tls:CaFile", root),
            ("Tls:CertificateFile", folder.Sub("device.pem")), ("Tls:KeyFile", folder.Sub("device.key")),
            ("UserName", "bridge"), ("PasswordFile", folder.Sub("bridge.password")),
        ];
    }

    private static async Task<Mosquitto> SecureAsync(TemporaryFolder folder, Certificates certificates)
    {
        var passwords = Tool.Find("mosquitto_passwd");
        if (passwords is null) Assert.Ignore("mosquitto_passwd is not installed (Debian: mosquitto).");
        var (exit, output) = await passwords!.RunAsync("-b", "-c", folder.Sub("passwords"), "bridge", "right");
        Assert.That(exit, Is.Zero, output);
        return await Mosquitto.StartAsync($"""
            allow_anonymous false
            password_file {folder.Sub("passwords")}
            cafile {certificates.CaFile}
            certfile {certificates.ServerCertificateFile}
            keyfile {certificates.ServerKeyFile}
            require_certificate true
            """);
    }

    private static async Task<Stores.Bridges.BridgeStatus> StatusAsync(
        GatewayHost host, Predicate<Stores.Bridges.BridgeStatus> isMeant)
    {
        Stores.Bridges.BridgeStatus? status = null;
        await Eventually.TrueAsync(async () =>
        {
            status = (await host.Bridges.ListStatusAsync(DateTimeOffset.UnixEpoch)).SingleOrDefault();
            return status is not null && isMeant(status);
        }, "the status");
        return status!;
    }
}
