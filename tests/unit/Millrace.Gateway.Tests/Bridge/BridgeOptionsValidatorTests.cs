using Millrace.Gateway.Bridge;

namespace Millrace.Gateway.Tests.Bridge;

public class BridgeOptionsValidatorTests
{
    [Test]
    public void A_bridge_with_a_host_and_a_subscription_is_enough() =>
        Assert.That(Failures(new BridgeOptions
        {
            Name = "plant",
            Host = "broker",
            Subscriptions = [new() { Topic = "plant/{machine}/data", DeviceId = "{machine}" }],
        }), Is.Empty);

    [Test]
    public void All_that_is_wrong_is_said_at_once_with_its_key()
    {
        var first = new BridgeOptions
        {
            Name = "a/b",
            Port = 70_000,
            Password = "x",
            KeepAlive = TimeSpan.Zero,
            InFlightMax = 0,
            RefusedTriesMax = 0,
            Tls = { CertificateFile = "client.pem" },
            Subscriptions =
            [
                new() { Topic = "a/#/b", DeviceId = "{nobody}", Qos = 3, Body = "a" },
                new() { Topic = "{x}", DeviceId = "{y}", Properties = { ["p"] = "{" } },
            ],
            Outputs = [new() { From = "telemetry", Topic = "x/+/{line}" }],
        };
        var second = new BridgeOptions { Name = "a/b", Host = "h" };

        var failures = string.Join('\n', Failures(first, second));

        foreach (var key in new[]
        {
            "0:Name", "0:Host", "0:Port", "0:UserName", "0:KeepAlive", "0:InFlightMax",
            "0:RefusedTriesMax", "0:Tls:Enabled", "0:Tls:KeyFile", "0:Subscriptions:0:Topic",
            "0:Subscriptions:0:DeviceId", "0:Subscriptions:0:Qos", "0:Subscriptions:0:Body",
            "0:Subscriptions:1:DeviceId", "0:Subscriptions:1:Properties:p",
            "0:Outputs:0:From", "0:Outputs:0:Topic", "1:Name", "1:Subscriptions",
        })
        {
            Assert.That(failures, Does.Contain($"Gateway:Bridges:{key}: GW-0101"), key);
        }
    }

    [Test]
    public void Files_that_cannot_be_used_are_named()
    {
        var bridge = new BridgeOptions
        {
            Name = "plant",
            Host = "broker",
            UserName = "u",
            PasswordFile = "no-such-password",
            Outputs = [new() { From = "alerts", Topic = "alerts/{key}" }],
        };
        Assert.That(Failures(bridge).Single(), Does.Contain("GW-0102").And.Contain("no-such-password"));

        bridge.PasswordFile = "";
        bridge.Tls = new BridgeTlsOptions { Enabled = true, CaFile = "no-such-ca" };
        Assert.That(Failures(bridge).Single(), Does.Contain("GW-0102").And.Contain("no-such-ca"));
    }

    [Test]
    public void Only_messages_for_devices_have_a_topic_of_their_own()
    {
        var bridge = Plant("a", "a");
        bridge.Outputs = [new() { From = "device-messages", Topic = "{key}/{topic}" }];
        Assert.That(Failures(bridge), Is.Empty);
        bridge.Outputs[0].From = "alerts";
        Assert.That(Failures(bridge).Single(), Does.Contain("Gateway:Bridges:0:Outputs:0:Topic"));
    }

    [Test]
    public void Two_bridges_do_not_take_each_others_session()
    {
        var failures = Failures(Plant("a", "same"), Plant("b", "same"), Plant("c", "other")).ToList();
        Assert.That(failures.Single(), Does.Contain("Gateway:Bridges:1:ClientId"));
    }

    private static BridgeOptions Plant(string name, string clientId) => new()
    {
        Name = name,
        Host = "broker",
        ClientId = clientId,
        Outputs = [new() { From = "out.x", Topic = "x" }],
    };

    private static IEnumerable<string> Failures(params BridgeOptions[] bridges) =>
        new BridgeOptionsValidator().Validate(null, new GatewayOptions { Bridges = [.. bridges] }).Failures ?? [];
}
