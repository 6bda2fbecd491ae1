using System.Net.Sockets;
using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

public class SessionTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await GatewayHost.StartAsync(
            ("Gateway:PacketBytesMax", "4KiB"), ("Gateway:ConnectTimeout", "00:00:01"),
            ("Gateway:ConnectionsMax", "4"), ("Gateway:CloseTimeout", "00:00:01"));
        await _host.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [Test]
    public async Task A_second_connection_of_a_client_id_takes_the_session_over()
    {
        using var first = await RawClient.LoginAsync(_host, "pump-1", clientId: "c");
        using var other = await RawClient.LoginAsync(_host, "pump-1", clientId: "d");
        using var second = await RawClient.LoginAsync(_host, "pump-1", clientId: "c");

        Assert.That(await first.ReadEndAsync(), Is.EqualTo(ReasonCode.SessionTakenOver));
        foreach (var client in new[] { other, second })
        {
            await client.SendAsync([0xC0, 0]);
            Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0xD0, 0 }));
        }
    }

    [TestCase("", 1, TestName = "The will is published when the connection is lost")]
    [TestCase("E00104", 1, TestName = "The will is published when the good-bye asks for it")]
    [TestCase("E000", 0, TestName = "The will is not published after a good-bye")]
    [TestCase("F000", 1, TestName = "The will is published when the client breaks the rules")]
    public async Task Wills(string lastWords, int published)
    {
        const string topic = "devices/pump-1/messages/events/kind=will";
        using (var client = await RawClient.LoginAsync(_host, "pump-1", will: topic))
        {
            if (lastWords.Length > 0) await client.SendAsync(Convert.FromHexString(lastWords));
        }

        await _host.LifecycleAsync(2);
        var records = await _host.TelemetryAsync(published);
        foreach (var record in records)
        {
            Assert.That(record.Body, Is.EqualTo("the will"));
            Assert.That(record.Headers["app.mqtt-will"], Is.EqualTo("true"));
            Assert.That(record.Headers["app.kind"], Is.EqualTo("will"));
        }
    }

    [Test]
    public async Task A_client_that_does_not_take_the_answer_takes_nothing_over()
    {
        using var first = await RawClient.LoginAsync(_host, "pump-1", clientId: "c");
        using var second = await RawClient.OpenAsync(_host);
        await second.ConnectAsync("pump-1", GatewayHost.Key, "c", ask: new SessionAsk(PacketBytesMax: 10));
        Assert.That(await second.ReadAsync(), Is.Empty);

        await Eventually.TrueAsync(() => _host.Meters["disconnects/answer-too-large"] == 1, "counted");
        await first.PublishAsync("telemetry", "{}", 1);
        Assert.That(await first.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
    }

    [Test]
    public async Task A_will_to_a_topic_of_another_device_is_refused_at_connect()
    {
        using var client = await RawClient.OpenAsync(_host);
        await client.ConnectAsync("pump-1", GatewayHost.Key, will: "devices/pump-2/messages/events/");

        Assert.That((await client.ReadAsync())[3], Is.EqualTo((byte)ReasonCode.NotAuthorized));
    }

    [TestCase("30030001FF", ReasonCode.MalformedPacket, "utf8-invalid", TestName = "A topic that is not UTF-8")]
    [TestCase("3180FF7F", ReasonCode.PacketTooLarge, "too-large", TestName = "A packet above the maximum")]
    [TestCase("30FFFFFFFF", ReasonCode.MalformedPacket, "length-invalid", TestName = "A length without an end")]
    [TestCase("38030001" + "74", ReasonCode.MalformedPacket, "header-invalid", TestName = "DUP without a QoS")]
    [TestCase("3603000174", ReasonCode.MalformedPacket, "header-invalid", TestName = "QoS 3")]
    [TestCase("6002000A", ReasonCode.MalformedPacket, "header-invalid", TestName = "Reserved flags of PUBREL")]
    [TestCase("62020000", ReasonCode.ProtocolError, "packet-id-zero", TestName = "PUBREL of packet identifier 0")]
    [TestCase("31050001740061", ReasonCode.RetainNotSupported, "retain-not-supported", TestName = "RETAIN")]
    [TestCase("3207000174000000" + "61", ReasonCode.ProtocolError, "packet-id-zero", TestName = "Packet identifier 0")]
    [TestCase("30080001740323FFFF61", ReasonCode.TopicAliasInvalid, "topic-alias-invalid",
        TestName = "An alias too high")]
    [TestCase("8209000102" + "0B00" + "00016101", ReasonCode.ProtocolError, "property-value-invalid",
        TestName = "Subscription identifier 0")]
    [TestCase("820700010000016103", ReasonCode.ProtocolError, "subscription-option-out-of-range",
        TestName = "A subscription with QoS 3")]
    [TestCase("820700010000016130", ReasonCode.ProtocolError, "subscription-option-out-of-range",
        TestName = "Retain handling 3")]
    [TestCase("820700010000016140", ReasonCode.MalformedPacket, "subscription-options-reserved",
        TestName = "Reserved subscription options")]
    [TestCase("8206000100000001", ReasonCode.ProtocolError, "filter-empty", TestName = "An empty filter")]
    [TestCase("300400000061", ReasonCode.ProtocolError, "topic-missing", TestName = "No topic and no alias")]
    [TestCase("F000", ReasonCode.ProtocolError, "packet-unexpected", TestName = "AUTH without a method")]
    [TestCase("F007180515000258" + "59", ReasonCode.ProtocolError, "authentication-method-unknown",
        TestName = "AUTH with a method")]
    [TestCase("E0070005" + "110000000A", ReasonCode.ProtocolError, "property-value-invalid",
        TestName = "A session that is prolonged at its end")]
    public async Task What_breaks_the_rules_ends_that_connection_with_its_reason(
        string packet, ReasonCode reason, string counted)
    {
        using var bad = await RawClient.LoginAsync(_host, "pump-1", clientId: "bad");
        using var good = await RawClient.LoginAsync(_host, "pump-1", clientId: "good");
        await bad.SendAsync(Convert.FromHexString(packet));

        Assert.That(await bad.ReadEndAsync(), Is.EqualTo(reason));
        Assert.That(_host.Meters["malformed/" + counted], Is.EqualTo(1));
        await good.PublishAsync("telemetry", "{}", 1);
        Assert.That(await good.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
    }

    [Test]
    public async Task A_topic_alias_is_taken_for_its_topic()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        byte[] alias = [35, 0, 1];
        await client.PublishAsync("telemetry/oil", "1", 1, alias);
        await client.PublishAsync("", "2", 2, alias);
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((2, ReasonCode.Success)));

        var records = await _host.TelemetryAsync(2);
        Assert.That(records.Select(r => r.Headers["mqtt-topic"]), Is.All.EqualTo("oil"));
    }

    [Test]
    public async Task Enhanced_authentication_is_refused()
    {
        using var client = await RawClient.OpenAsync(_host);
        await client.SendAsync([0x10, 17, 0, 4, .. "MQTT"u8, 5, 2, 0, 0, 4, 21, 0, 1, (byte)'X', 0, 0]);

        Assert.That(Convert.ToHexString(await client.ReadAllAsync()), Does.Match("^20..008C"));
    }

    [TestCase("devices/pump-1/messages/devicebound/#", 2, 2)]
    [TestCase("devices/pump-1/messages/devicebound/#", 1, 1)]
    [TestCase("$iothub/methods/POST/#", 0, 0)]
    [TestCase("devices/pump-2/messages/devicebound/#", 1, (int)ReasonCode.NotAuthorized)]
    [TestCase("devices/+/messages/devicebound/#", 1, (int)ReasonCode.NotAuthorized)]
    [TestCase("#", 1, (int)ReasonCode.NotAuthorized)]
    [TestCase("a#", 1, (int)ReasonCode.TopicFilterInvalid)]
    [TestCase("$share/g/a", 1, (int)ReasonCode.SharedSubscriptionsNotSupported)]
    public async Task Subscriptions_are_granted_for_the_own_topics_only(string filter, int qos, int code)
    {
        using var v5 = await RawClient.LoginAsync(_host, "pump-1", clientId: "a");
        await v5.SubscribeAsync(filter, (byte)qos);
        Assert.That(await v5.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, (byte)code }));

        using var v311 = await RawClient.LoginAsync(_host, "pump-1", MqttVersion.V311, clientId: "b");
        await v311.SubscribeAsync(filter, (byte)qos);
        Assert.That(await v311.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 3, 0, 77, (byte)Math.Min(code, 0x80) }));
        await v311.SendAsync([0xA2, 5, 0, 9, 0, 1, (byte)'a']);
        Assert.That(await v311.ReadAsync(), Is.EqualTo(new byte[] { 0xB0, 2, 0, 9 }));
    }

    [Test]
    public async Task A_silent_client_is_closed_after_one_and_a_half_keep_alives()
    {
        using var lively = await RawClient.LoginAsync(_host, "pump-1", clientId: "b", keepAlive: 2);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using var silent = await RawClient.LoginAsync(_host, "pump-1", clientId: "a", keepAlive: 1);
        var end = silent.ReadEndAsync();
        while (!end.IsCompleted)
        {
            await lively.SendAsync([0xC0, 0]);
            Assert.That(await lively.ReadAsync(), Is.EqualTo(new byte[] { 0xD0, 0 }));
            await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(400), TimeProvider.System));
        }

        Assert.That(await end, Is.EqualTo(ReasonCode.KeepAliveTimeout));
        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(1.5)));
    }

    [Test]
    public async Task A_connection_that_says_nothing_is_closed()
    {
        using var client = await RawClient.OpenAsync(_host);

        Assert.That(await client.ReadAsync(), Is.Empty);
        await Eventually.TrueAsync(() => _host.Meters["disconnects/connect-timeout"] == 1, "counted");
    }

    [Test]
    public async Task Connections_beyond_the_limit_are_closed_and_others_stay()
    {
        var clients = new List<RawClient>();
        for (var i = 0; i < 4; i++) clients.Add(await RawClient.LoginAsync(_host, "pump-1", clientId: $"c{i}"));
        Assert.That(await IsClosedAsync());
        await Eventually.TrueAsync(() => _host.Meters["refusals/connections-max"] == 1, "counted");
        await clients[0].PublishAsync("telemetry", "{}", 1);
        Assert.That(await clients[0].ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        foreach (var client in clients) client.Dispose();
    }

    private async Task<bool> IsClosedAsync()
    {
        try
        {
            using var client = await RawClient.OpenAsync(_host);
            return (await client.ReadAsync()).Length == 0;
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            // In the handshake.
            return true;
        }
    }

    [Test]
    public async Task At_shutdown_what_was_taken_is_acknowledged_and_clients_are_told()
    {
        using var client = await RawClient.LoginAsync(_host, "pump-1");
        _host.Log.Shut();
        await client.PublishAsync("telemetry", "last", 1);
        await Eventually.TrueAsync(() => _host.Meters["publishes.received"] == 1, "taken");
        var stopping = _host.StopAsync();
        Assert.That(await client.StaysSilentAsync());

        _host.Log.Open();
        Assert.That(await client.ReadAckAsync(), Is.EqualTo((1, ReasonCode.Success)));
        Assert.That(await client.ReadEndAsync(), Is.EqualTo(ReasonCode.ServerShuttingDown));
        await stopping;
        Assert.That(_host.Meters["disconnects/shutdown"], Is.EqualTo(1));
        Assert.That(_host.Meters["lifecycle.events"], Is.EqualTo(2));
    }
}
