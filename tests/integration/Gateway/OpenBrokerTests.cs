using System.Collections.Concurrent;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A gateway that is a broker for everyone on this machine, with clients that others wrote.</summary>
public class OpenBrokerTests
{
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync() =>
        _host = await GatewayHost.StartAsync(SpaceSettings.With(("Gateway:TopicSpaces:AllowAnonymous", "true")));

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [Test]
    public async Task Mosquitto_sub_gets_what_mosquitto_pub_retained(
        [Values("mqttv311", "mqttv5")] string version, [Values("0", "1", "2")] string qos)
    {
        var (exit, output) = await Find("mosquitto_pub").RunAsync("-h", "127.0.0.1", "-p", $"{_host.Port}",
            "-V", version, "-q", qos, "-t", "open/a", "-r", "-m", "kept");
        Assert.That(exit, Is.Zero, output);
        await Eventually.TrueAsync(() => _host.Meters["retained/retained"] == 1, "retained");
        (exit, output) = await Find("mosquitto_sub").RunAsync("-h", "127.0.0.1", "-p", $"{_host.Port}",
            "-V", version, "-q", qos, "-t", "open/#", "-C", "1", "-W", "20", "-F", "%t %q %r %p");

        Assert.That((exit, output.Trim()), Is.EqualTo((0, $"open/a {qos} 1 kept")));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task Mqttnet_gets_all_messages_in_order(int qos)
    {
        const int Count = 300;
        var bodies = new ConcurrentQueue<string>();
        using var receiver = await ConnectAsync("receiver");
        receiver.ApplicationMessageReceivedAsync += message =>
        {
            bodies.Enqueue(message.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await receiver.SubscribeAsync("open/+", (MqttQualityOfServiceLevel)qos);
        using var sender = await ConnectAsync("sender");
        for (var i = 0; i < Count; i++)
            await sender.PublishStringAsync("open/a", $"{i}", (MqttQualityOfServiceLevel)qos);

        await Eventually.TrueAsync(() => bodies.Count >= Count, "all");
        Assert.That(bodies, Is.EqualTo(Enumerable.Range(0, Count).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_name_that_a_device_has_needs_that_devices_credential()
    {
        await _host.AddDeviceAsync("pump-1");
        using var client = await RawClient.OpenAsync(_host);
        await client.ConnectAsync(user: null, password: null, clientId: "pump-1");

        Assert.That((await client.ReadAsync())[3], Is.EqualTo(0x86));
        Assert.That(_host.Meters["refusals/no-credential"], Is.EqualTo(1));
    }

    [Test]
    public async Task An_anonymous_client_ends_when_a_device_of_its_name_is_registered()
    {
        using var client = await RawClient.OpenAsync(_host);
        await client.ConnectAsync(user: null, password: null, clientId: "pump-1");
        Assert.That((await client.ReadAsync())[3], Is.Zero);
        await _host.AddDeviceAsync("pump-1");
        await _host.NoticeAsync("pump-1");

        Assert.That(await client.ReadEndAsync(), Is.EqualTo(Millrace.Mqtt.ReasonCode.AdministrativeAction));
    }

    [Test]
    public async Task Without_the_option_nobody_comes_in_without_a_credential()
    {
        await using var closed = await GatewayHost.StartAsync(SpaceSettings.With());
        using var client = await RawClient.OpenAsync(closed);
        await client.ConnectAsync(user: null, password: null, clientId: "anyone");

        Assert.That((await client.ReadAsync())[3], Is.EqualTo(0x86));
    }

    private async Task<IMqttClient> ConnectAsync(string clientId)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithClientId(clientId)
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithTcpServer("127.0.0.1", _host.Port).Build());
        return client;
    }

    private static Tool Find(string name)
    {
        var tool = Tool.Find(name);
        if (tool is null) Assert.Ignore($"{name} is not installed (Debian: mosquitto-clients).");
        return tool!;
    }
}
