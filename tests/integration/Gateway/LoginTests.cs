using System.Text;
using Millrace.Contracts;
using Millrace.Mqtt;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

public class LoginTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await GatewayHost.StartAsync(("Gateway:HubNames:0", "hub.example"));
        await _host.AddDeviceAsync("pump-1");
        await _host.AddDeviceAsync("off", device => device with { Status = DeviceStatus.Disabled });
        await _host.AddDeviceAsync("cert", device => device with
        {
            Authentication = DeviceAuthentication.Thumbprints,
            PrimaryKey = "",
            SecondaryKey = "",
            PrimaryThumbprint = new string('A', 64),
        });
    }

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [TestCase(MqttVersion.V311)]
    [TestCase(MqttVersion.V5)]
    public async Task Every_refusal_is_the_same_on_the_wire_and_counted_by_its_cause(MqttVersion version)
    {
        var soon = DateTimeOffset.UtcNow.AddHours(1);
        const string device = "hub.example/devices/pump-1";
        var causes = new (string? User, string? Password, string Reason)[]
        {
            ("pump-1", "wrong", "wrong-key"),
            ("pump-1", "", "wrong-key"),
            ("pump-1", null, "no-credential"),
            ("nobody", GatewayHost.Key, "unknown-device"),
            ("no such/id\u0001", GatewayHost.Key, "name-invalid"),
            ("off", GatewayHost.Key, "disabled"),
            ("cert", GatewayHost.Key, "no-credential"),
            ("cert", "", "no-credential"),
            ("pump-1", Sas.Token(device, GatewayHost.Key, DateTimeOffset.UtcNow.AddMinutes(-1)), "token-expired"),
            ("pump-1", Sas.Token(device, "d3Jvbmc=", soon), "token-invalid"),
            ("pump-1", Sas.Token("hub.example/devices/pump-2", GatewayHost.Key, soon), "token-for-another"),
            ("pump-1", Sas.Token("other.example/devices/pump-1", GatewayHost.Key, soon), "token-for-another"),
            ("pump-1", Sas.Token("hub.example", GatewayHost.Key, soon), "token-for-another"),
            ("pump-1", Sas.Token(device, GatewayHost.Key, soon) + "&skn=device", "token-invalid"),
            ("pump-1", "SharedAccessSignature what=ever", "token-invalid"),
        };
        foreach (var (user, password, reason) in causes)
        {
            var before = _host.Meters["refusals/" + reason];
            using var client = await RawClient.OpenAsync(_host, version);
            if (password is null && version == MqttVersion.V311) await client.ConnectAsync(user, null);
            else await client.ConnectAsync(user, password);

            var answer = Convert.ToHexString(await client.ReadAllAsync());
            var v5 = "200D0086" + "0A" + "1F0007" + Convert.ToHexString("refused"u8);
            Assert.That(answer, Is.EqualTo(version == MqttVersion.V5 ? v5 : "20020005"), $"{user} {reason}");
            Assert.That(_host.Meters["refusals/" + reason], Is.EqualTo(before + 1), $"{user} {reason}");
        }
    }

    [Test]
    public async Task A_device_is_let_in_by_either_key_as_password_or_under_a_token()
    {
        var soon = DateTimeOffset.UtcNow.AddHours(1);
        var passwords = new[]
        {
            GatewayHost.Key, GatewayHost.SecondKey,
            Sas.Token("hub.example/devices/pump-1", GatewayHost.Key, soon),
            Sas.Token("HUB.example/devices/pump-1", GatewayHost.SecondKey, soon),
            Sas.Token("hub.example/devices/pump-1/modules/cam", GatewayHost.Key, soon),
        };
        var users = new[] { "pump-1", "hub.example/pump-1/?api-version=2021-04-12", "hub.example/pump-1/cam" };
        foreach (var password in passwords)
        {
            foreach (var user in users)
            {
                using var client = await RawClient.LoginAsync(_host, user, MqttVersion.V311, password: password);
            }
        }

        using var byClientId = await RawClient.OpenAsync(_host);
        await byClientId.ConnectAsync(null, GatewayHost.Key, clientId: "pump-1");
        Assert.That((await byClientId.ReadAsync())[3], Is.Zero);
    }

    [Test]
    public async Task A_connection_ends_when_its_token_does()
    {
        var token = Sas.Token("hub.example/devices/pump-1", GatewayHost.Key, DateTimeOffset.UtcNow.AddSeconds(3));
        using var client = await RawClient.LoginAsync(_host, "pump-1", password: token);

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.MaximumConnectTime));
    }

    [TestCase("disabled")]
    [TestCase("deleted")]
    [TestCase("rotated")]
    public async Task A_revoked_credential_ends_the_connection_within_a_second(string how)
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        using var bySecondKey = await RawClient.LoginAsync(
            _host, "pump-1", clientId: "second", password: GatewayHost.SecondKey);
        var identity = (await _host.Identities.FindAsync("pump-1"))!;
        if (how == "disabled")
            await _host.Identities.UpdateAsync(identity with { Status = DeviceStatus.Disabled }, identity.Version);
        else if (how == "deleted") await _host.DeleteDeviceAsync("pump-1");
        else await _host.Identities.UpdateAsync(identity with { PrimaryKey = "bmV3LWtleQ==" }, identity.Version);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await _host.NoticeAsync("pump-1");

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.AdministrativeAction));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(1)));
        if (how == "rotated")
        {
            await bySecondKey.PublishAsync("telemetry", "still here", 1);
            Assert.That(await bySecondKey.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        }
        else Assert.That(await bySecondKey.ReadEndAsync(), Is.EqualTo(ReasonCode.AdministrativeAction));

        using var again = await RawClient.OpenAsync(_host);
        await again.ConnectAsync("pump-1", GatewayHost.Key);
        Assert.That((await again.ReadAsync())[3], Is.EqualTo(0x86));
    }

    [TestCase(ControlKinds.Device)]
    [TestCase(ControlKinds.SessionWanted)]
    public async Task A_notice_without_an_id_holds_up_none_that_follows(string kind)
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        await _host.DeleteDeviceAsync("pump-1");
        await _host.NoticeAsync(Encoding.UTF8.GetBytes($$"""{"kind":"{{kind}}","id":null}"""));
        await _host.NoticeAsync("pump-1");

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.AdministrativeAction));
    }

    [Test]
    public async Task A_lost_notice_is_made_up_for_by_looking_again()
    {
        await using var host = await GatewayHost.StartAsync(("Gateway:IdentityRecheckInterval", "00:00:00.2"));
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.LoginAsync(host, "pump-1");
        await host.DeleteDeviceAsync("pump-1");

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.AdministrativeAction));
    }

    [Test]
    public async Task A_device_that_is_made_after_it_was_refused_is_let_in_at_once()
    {
        using var before = await RawClient.OpenAsync(_host);
        await before.ConnectAsync("new", GatewayHost.Key);
        Assert.That((await before.ReadAsync())[3], Is.EqualTo(0x86));

        await _host.AddDeviceAsync("new");
        await _host.NoticeAsync("new");
        await Eventually.TrueAsync(async () =>
        {
            using var after = await RawClient.OpenAsync(_host);
            await after.ConnectAsync("new", GatewayHost.Key);
            return (await after.ReadAsync())[3] == 0;
        }, "the new device is let in", TimeSpan.FromSeconds(1));
    }

    [Test]
    public async Task A_client_without_an_id_is_given_one()
    {
        using var client = await RawClient.OpenAsync(_host);
        await client.ConnectAsync("pump-1", GatewayHost.Key, clientId: "");
        var answer = await client.ReadAsync();

        Assert.That(answer[3], Is.Zero);
        Assert.That(System.Text.Encoding.ASCII.GetString(answer), Does.Contain("auto-"));
    }

    [Test]
    public async Task Connects_wait_while_the_log_fails_and_none_is_lost()
    {
        await using var host = await GatewayHost.StartAsync(("Gateway:LifecycleQueueMax", "2"));
        await host.AddDeviceAsync("pump-1");
        host.Log.RefuseLifecycle(true);
        var clients = new List<RawClient>();
        for (var i = 0; i < 8; i++) clients.Add(await RawClient.LoginAsync(host, "pump-1", clientId: $"c{i}"));
        await Eventually.TrueAsync(() => host.Meters["lifecycle.waits"] > 0, "the queue is full");
        Assert.That(host.Meters["lifecycle.events"], Is.Zero);

        host.Log.RefuseLifecycle(false);
        var events = await host.LifecycleAsync(8);
        Assert.That(events.Select(e => e.ConnectionId).Distinct().Count(), Is.EqualTo(8));
        Assert.That(host.Meters["lifecycle.lost"], Is.Zero);
        foreach (var client in clients) client.Dispose();
    }

    [Test]
    public async Task Connects_and_disconnects_are_in_the_lifecycle_topic()
    {
        using (var client = await RawClient.LoginAsync(_host, "pump-1"))
            await client.SendAsync([0xE0, 0]);

        var events = await _host.LifecycleAsync(2);
        Assert.That(events.Select(e => e.Kind),
            Is.EqualTo(new[] { LifecycleKind.Connected, LifecycleKind.Disconnected }));
        Assert.That(events.Select(e => e.DeviceId), Is.All.EqualTo("pump-1"));
        Assert.That(events[1].Reason, Is.EqualTo("client-disconnect"));
        Assert.That(events[1].ConnectionId, Is.EqualTo(events[0].ConnectionId));
        Assert.That(events[1].ConnectedAt, Is.EqualTo(events[0].ConnectedAt));
        Assert.That(events[1].At, Is.GreaterThanOrEqualTo(events[0].At));
        Assert.That(events[0].GenerationId, Is.EqualTo("generation-of-pump-1"));
    }
}
